internal import Configuration

/// The counts of limits, and of what they cost.
extension MetricsSnapshot {
    var ofLimits: [MetricFamily] {
        let routes = self.routes.sorted { $0.key < $1.key }
        let reached = routes.flatMap { name, route in
            route.limits.map { ($0.key.key.rawValue, $0.key.owner.rawValue, $0.value) }.sorted { $0 < $1 }.map {
                limit, owner, count in
                MetricFamily.Sample(
                    [.init("route", name), .init("limit", limit), .init("of", owner)], .number(Double(count)))
            }
        }
        return [
            MetricFamily(
                "gateway_limits_reached_total", .counter,
                help:
                    "How often a limit was reached: connections, requests and sessions that were refused, and messages that had to wait or ended their session.",
                samples: reached),
            MetricFamily(
                "gateway_dropped_messages_total", .counter,
                help: "Messages that slow members of broadcast rooms missed.",
                samples: routes.filter { $0.value.dropped > 0 }.map { name, route in
                    MetricFamily.Sample([.init("route", name)], .number(Double(route.dropped)))
                }),
        ]
    }
}
