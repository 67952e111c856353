internal import Sessions
public import System
internal import WebSocketProtocol

/// The counts as metrics. The number of values of each label is bounded, by the configuration or by a registry.
extension MetricsSnapshot {
    private typealias Label = MetricFamily.Label
    private typealias Sample = MetricFamily.Sample

    /// All metrics of the gateway. This snapshot is the sum of all workers.
    ///
    /// - Parameters:
    /// - others: what no worker counts: the metrics of endpoints, of listeners, and of what the gateway has.
    /// - droppedLines: the number of lines that the log could not write.
    public func families(
        control: MetricsSnapshot.Control, others: [MetricFamily], droppedLines: UInt64, version: String,
        usage: ProcessUsage
    ) -> [MetricFamily] {
        let build = Sample([Label("version", version)], .number(1))
        let dropped = Sample([], .number(Double(droppedLines)))
        return self.ofSessions + self.ofRequests + self.ofMessages + self.ofLimits + self.ofConnections + self.ofWorkers
            + others + Self.families(of: control) + [
                MetricFamily(
                    "gateway_log_dropped_total", .counter,
                    help: "Log lines that were not written, because the file was too slow, full or closed.",
                    samples: [dropped]),
                MetricFamily(
                    "gateway_build_info", .gauge, help: "1, with the version of the gateway.", samples: [build]),
            ] + Self.families(of: usage)
    }

    // MARK: - Requests

    private var ofRequests: [MetricFamily] {
        let requests = self.routes.sorted { $0.key < $1.key }.filter(\.value.requests.isUsed).map { name, route in
            (labels: [Label("route", name)], route.requests)
        }
        let totals = requests.flatMap { labels, requests in
            requests.total.sorted { $0.key < $1.key }.map { status, count in
                Sample(labels + [Label("status", status == 0 ? "none" : "\(status)xx")], .number(Double(count)))
            }
        }
        return [
            MetricFamily(
                "gateway_requests_open", .gauge, help: "Plain requests that are being passed to a backend.",
                samples: requests.map { Sample($0.labels, .number(Double($0.1.open))) }),
            MetricFamily(
                "gateway_requests_total", .counter,
                help: "Plain requests that were passed to a backend or answered, by the class of the answer's status.",
                samples: totals),
            MetricFamily(
                "gateway_request_seconds", .histogram, help: "Time from a plain request to the head of its answer.",
                samples: requests.map { Sample($0.labels, $0.1.seconds.value) }),
        ]
    }

    // MARK: - Sessions

    private var ofSessions: [MetricFamily] {
        let routes = self.routes.sorted { $0.key < $1.key }
        let sessions = routes.flatMap { name, route in
            route.sessions.sorted { $0.key < $1.key }.map { backend, sessions in
                (labels: [Label("route", name), Label("backend", backend)], sessions)
            }
        }
        let handshakes = routes.flatMap { name, route in
            route.handshakes.map { ($0.key.label, $0.value) }.sorted { $0.0 < $1.0 }.map { result, count in
                Sample([Label("route", name), Label("result", result)], .number(Double(count)))
            }
        }
        let closes = routes.flatMap { name, route in
            route.closes.map { ($0.key.cause.rawValue, $0.key.code, $0.value) }.sorted { $0 < $1 }.map {
                cause, code, count in
                Sample(
                    [Label("route", name), Label("cause", cause), Label("code", code)], .number(Double(count)))
            }
        }
        return [
            MetricFamily(
                "gateway_sessions_open", .gauge, help: "Sessions that are open, or closing.",
                samples: sessions.map { Sample($0.labels, .number(Double($0.1.open))) }),
            MetricFamily(
                "gateway_sessions_total", .counter, help: "Sessions that were opened.",
                samples: sessions.map { Sample($0.labels, .number(Double($0.1.total))) }),
            MetricFamily(
                "gateway_handshakes_total", .counter,
                help:
                    "Opening handshakes by their result: accepted, the status they were refused with, abandoned, evicted, or turned away before they began: too-many, not-allowed, not-trusted, bad-proxy-header.",
                samples: handshakes),
            MetricFamily(
                "gateway_handshake_seconds", .histogram,
                help: "Time from a client's connection to its 101.",
                samples: [Sample([], self.handshakeSeconds.value)]),
            MetricFamily(
                "gateway_session_seconds", .histogram, help: "How long ended sessions lasted.",
                samples: [Sample([], self.sessionSeconds.value)]),
            MetricFamily(
                "gateway_closes_total", .counter,
                help: "Sessions that have ended, by cause and by the code of the client's Close.", samples: closes),
        ]
    }

    // MARK: - Messages

    private var ofMessages: [MetricFamily] {
        var messages: [Sample] = []
        var bytes: [Sample] = []
        for (name, route) in self.routes.sorted(by: { $0.key < $1.key }) where !route.sessions.isEmpty {
            for (leg, direction) in [(Leg.client, "to-backend"), (.backend, "to-client")] {
                let labels = [Label("route", name), Label("direction", direction)]
                let tally = route.tally[leg]
                messages.append(Sample(labels + [Label("type", "text")], .number(Double(tally.text))))
                messages.append(Sample(labels + [Label("type", "binary")], .number(Double(tally.binary))))
                bytes.append(Sample(labels, .number(Double(tally.payloadBytes))))
            }
        }
        return [
            MetricFamily(
                "gateway_messages_total", .counter, help: "Complete messages.", samples: messages),
            MetricFamily(
                "gateway_payload_bytes_total", .counter, help: "Payload of messages, as it is on the wire.",
                samples: bytes),
            MetricFamily(
                "gateway_ping_rtt_seconds", .histogram, help: "Time from a ping of the gateway to its pong.",
                samples: [Leg.client, .backend].map {
                    Sample([Label("side", $0.rawValue)], self.pingSeconds[$0].value)
                }),
            MetricFamily(
                "gateway_queue_bytes", .gauge, help: "Bytes in queues that peers have not accepted.",
                samples: [Sample([], .number(Double(self.queueBytes)))]),
            MetricFamily(
                "gateway_memory_bytes", .gauge,
                help: "Memory of all sessions that `memory` bounds, with its overhead.",
                samples: MemoryKind.allCases.map {
                    Sample([Label("kind", $0.rawValue)], .number(Double(self.memory[$0] ?? 0)))
                }),
        ]
    }

    // MARK: - Connections

    private var ofConnections: [MetricFamily] {
        let handshakes = self.tlsHandshakes.map { ($0.key.version, "\($0.key.wasResumed)", $0.value) }.sorted {
            $0 < $1
        }
        return [
            MetricFamily(
                "gateway_connections_total", .counter, help: "Connections that a listener accepted.",
                samples: self.connections.sorted { $0.key < $1.key }.map {
                    Sample([Label("listener", $0.key)], .number(Double($0.value)))
                }),
            MetricFamily(
                "gateway_tls_handshakes_total", .counter, help: "Complete TLS handshakes of clients.",
                samples: handshakes.map {
                    Sample([Label("version", $0.0), Label("resumed", $0.1)], .number(Double($0.2)))
                }),
            MetricFamily(
                "gateway_handshakes_waiting", .gauge,
                help: "Steps of TLS handshakes that wait for their turn, with clients and with backends.",
                samples: [Sample([], .number(Double(self.handshakesWaiting)))]),
            MetricFamily(
                "gateway_handshake_wait_seconds", .histogram,
                help: "How long steps of TLS handshakes waited for their turn.",
                samples: [Sample([], self.handshakeWaitSeconds.value)]),
        ]
    }

    // MARK: - Workers

    private var ofWorkers: [MetricFamily] {
        [
            MetricFamily(
                "gateway_loop_turn_seconds", .histogram,
                help: "How long turns of a worker took; bytes that come meanwhile wait for the next.",
                samples: [Sample([], Histogram(self.loopTurns).value)])
        ]
    }

    // MARK: - The control thread and the process

    private static func families(of control: MetricsSnapshot.Control) -> [MetricFamily] {
        [
            MetricFamily(
                "gateway_reloads_total", .counter, help: "Reloads by their result.",
                samples: [
                    Sample([Label("result", "applied")], .number(Double(control.appliedReloads))),
                    Sample([Label("result", "refused")], .number(Double(control.refusedReloads))),
                ]),
            MetricFamily(
                "gateway_key_fetches_total", .counter, help: "Fetches of the keys of URLs (jwt), by their result.",
                samples: [
                    Sample([Label("result", "fetched")], .number(Double(control.keyFetches.succeeded))),
                    Sample([Label("result", "failed")], .number(Double(control.keyFetches.failed))),
                ]),
        ]
    }

    /// Metrics of the process, with the names that Prometheus' client libraries use.
    private static func families(of usage: ProcessUsage) -> [MetricFamily] {
        var families = [
            MetricFamily(
                "process_cpu_seconds_total", .counter, help: "Processor time of the process.",
                samples: [Sample([], .number(usage.processorTime.secondsAsDouble))])
        ]
        if let bytes = usage.residentBytes {
            families.append(
                MetricFamily(
                    "process_resident_memory_bytes", .gauge, help: "Resident memory of the process.",
                    samples: [Sample([], .number(Double(bytes)))]))
        }
        if let count = usage.openDescriptors {
            families.append(
                MetricFamily(
                    "process_open_fds", .gauge, help: "Open file descriptors of the process.",
                    samples: [Sample([], .number(Double(count)))]))
        }
        return families
    }
}
