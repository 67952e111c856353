internal import Configuration
internal import DataPlane
internal import Observability

/// The state of one backend's endpoints at one moment. Any thread can make rows and metrics of it.
struct BackendReport: Sendable {
    let backend: Backend
    let endpoints: [BackendRow.EndpointRow]
    /// The results of the checks of each endpoint; `nil` if it is not checked.
    let checks: [CheckSchedule.Counts?]

    /// - Parameter sessions: the number of open sessions of this backend.
    func row(sessions: Int) -> BackendRow {
        BackendRow(
            name: self.backend.name, kind: self.backend.settings.kind.name, sessions: sessions,
            endpoints: self.endpoints)
    }
}

extension Sequence<BackendReport> {
    /// `backend_up` and `health_checks_total`.
    var families: [MetricFamily] {
        var up = MetricFamily(
            "gateway_backend_up", .gauge, help: "Whether an endpoint gets new sessions.", samples: [])
        var checks = MetricFamily(
            "gateway_health_checks_total", .counter, help: "Active checks of an endpoint, by their result.",
            samples: [])
        for report in self {
            for (endpoint, counts) in zip(report.endpoints, report.checks) {
                let labels: [MetricFamily.Label] = [
                    .init("backend", report.backend.name), .init("endpoint", endpoint.name),
                ]
                up.samples.append(.init(labels, .number(endpoint.state == "up" ? 1 : 0)))
                guard let counts else { continue }
                for (result, count) in [
                    ("passed", counts.passed), ("failed", counts.failed), ("skipped", counts.skipped),
                ] {
                    checks.samples.append(.init(labels + [.init("result", result)], .number(Double(count))))
                }
            }
        }
        return [up, checks]
    }
}

extension BackendSettings.Kind {
    /// The value of `kind` at the admin address.
    fileprivate var name: String {
        switch self {
        case .builtin(.echo): "echo"
        case .builtin(.broadcast): "broadcast"
        case .builtin(.clock): "clock"
        case .websocket: "websocket"
        case .tcp: "tcp"
        case .tokens: "tokens"
        }
    }
}
