import Observability
import Testing

@Suite struct MetricsTextTests {
    @Test func `numbers and labels are written as Prometheus reads them`() {
        let family = MetricFamily(
            "gateway_sessions_open", .gauge, help: "Open \\ now\nand \"here\".",
            samples: [
                .init([.init("route", "a\"b\\c\nd"), .init("backend", "ü")], .number(3)),
                .init([], .number(0.25)),
                .init([], .number(-1e-7)),
                .init([], .number(1e17)),
                .init([], .number(.infinity)),
                .init([], .number(-.infinity)),
                .init([], .number(.nan)),
            ])
        #expect(
            MetricsText.text([family]) == #"""
                # HELP gateway_sessions_open Open \\ now\nand "here".
                # TYPE gateway_sessions_open gauge
                gateway_sessions_open{route="a\"b\\c\nd",backend="ü"} 3
                gateway_sessions_open 0.25
                gateway_sessions_open -1e-07
                gateway_sessions_open 1e+17
                gateway_sessions_open +Inf
                gateway_sessions_open -Inf
                gateway_sessions_open NaN

                """#)
    }

    @Test func `a histogram has buckets, sum and count`() {
        let family = MetricFamily(
            "gateway_ping_rtt_seconds", .histogram, help: "Round trips.",
            samples: [
                .init(
                    [.init("side", "client")],
                    .histogram(buckets: [(0.5, 1), (2, 3), (.infinity, 4)], sum: 10.5))
            ])
        let empty = MetricFamily("gateway_none_total", .counter, help: "Nothing yet.", samples: [])
        #expect(
            MetricsText.text([family, empty]) == """
                # HELP gateway_ping_rtt_seconds Round trips.
                # TYPE gateway_ping_rtt_seconds histogram
                gateway_ping_rtt_seconds_bucket{side="client",le="0.5"} 1
                gateway_ping_rtt_seconds_bucket{side="client",le="2"} 3
                gateway_ping_rtt_seconds_bucket{side="client",le="+Inf"} 4
                gateway_ping_rtt_seconds_sum{side="client"} 10.5
                gateway_ping_rtt_seconds_count{side="client"} 4
                # HELP gateway_none_total Nothing yet.
                # TYPE gateway_none_total counter

                """)
    }
}
