internal import Observability

/// One backend with its endpoints, as the admin address shows it.
public struct BackendRow: Sendable {
    public struct EndpointRow: Sendable {
        public var name: String
        /// `up`, `down` or `draining`.
        public var state: String
        /// Why it is in that state, where that is known.
        public var reason: String?
        /// How long it has been in that state.
        public var since: Duration
        public var sessions: Int
        public var weight: Int
        public var isBackup: Bool

        public init(
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

    public var name: String
    /// `websocket`, `tcp`, or the name of a built-in service.
    public var kind: String
    public var sessions: Int
    /// Empty for a built-in service.
    public var endpoints: [EndpointRow]

    public init(name: String, kind: String, sessions: Int, endpoints: [EndpointRow]) {
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
