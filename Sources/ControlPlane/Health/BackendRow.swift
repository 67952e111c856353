internal import Observability

/// One backend with its endpoints, as the admin address shows it.
package struct BackendRow: Sendable {
    package struct EndpointRow: Sendable {
        package var name: String
        /// `up`, `down` or `draining`.
        package var state: String
        /// Why it is in that state, where that is known.
        package var reason: String?
        /// How long it has been in that state.
        package var since: Duration
        package var sessions: Int
        package var weight: Int
        package var isBackup: Bool

        package init(
            name: String, state: String, reason: String?, since: Duration, sessions: Int, weight: Int, isBackup: Bool
        ) {
            self.name = name
            self.state = state
            self.reason = reason
            self.since = since
            self.sessions = sessions
            self.weight = weight
            self.isBackup = isBackup
        }
    }

    package var name: String
    /// `websocket`, `tcp`, or the name of a built-in service.
    package var kind: String
    package var sessions: Int
    /// Empty for a built-in service.
    package var endpoints: [EndpointRow]

    package init(name: String, kind: String, sessions: Int, endpoints: [EndpointRow]) {
        self.name = name
        self.kind = kind
        self.sessions = sessions
        self.endpoints = endpoints
    }
}

extension Sequence<BackendRow> {
    /// `gateway_backend_sessions`.
    var families: [MetricFamily] {
        let samples = self.flatMap { backend in
            backend.endpoints.map { endpoint in
                MetricFamily.Sample(
                    [.init("backend", backend.name), .init("endpoint", endpoint.name)],
                    .number(Double(endpoint.sessions)))
            }
        }
        return [MetricFamily("gateway_backend_sessions", .gauge, help: "Sessions of an endpoint.", samples: samples)]
    }
}
