internal import Observability

/// One backend with its endpoints, as the admin address shows it.
public struct BackendRow: Sendable {
    /// One endpoint of a backend.
    public struct EndpointRow: Sendable {
        /// The address or URL, as it is written in the configuration.
        public var name: String
        /// `up`, `down` or `draining`.
        public var state: String
        /// What an operator wants of it: `up` (nothing), `drain` or `down`.
        public var order: String
        /// Why it is in that state, if that is known.
        public var reason: String?
        /// How long it has been in that state.
        public var since: Duration
        /// The number of its open sessions, in all workers.
        public var sessions: Int
        /// Its weight in the balance.
        public var weight: Int
        /// Whether it is used only while no other is up.
        public var isBackup: Bool
        /// Whether it is checked, or ejected after failures. If neither, it is `up` without anything being known of it.
        public var isChecked: Bool

        /// When it was checked last, how long ago; `nil`: not yet, or it is not checked.
        public var lastCheck: Duration?
        /// How long its last check took that passed.
        public var checkTime: Duration?

        /// See the properties.
        public init(
            name: String, state: String, order: String = "up", reason: String?, since: Duration, sessions: Int,
            weight: Int, isBackup: Bool, isChecked: Bool
        ) {
            self.name = name
            self.state = state
            self.order = order
            self.reason = reason
            self.since = since
            self.sessions = sessions
            self.weight = weight
            self.isBackup = isBackup
            self.isChecked = isChecked
        }
    }

    /// The name in the configuration.
    public var name: String
    /// `websocket`, `tcp`, `tokens`, or the name of a built-in service.
    public var kind: String
    /// The number of its open sessions, in all workers.
    public var sessions: Int
    /// Empty for a built-in service, and where tokens name them.
    public var endpoints: [EndpointRow]

    /// See the properties.
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
