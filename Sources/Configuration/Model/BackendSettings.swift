/// A named group of endpoints, or a built-in service.
package struct BackendSettings: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case builtin(BuiltinService)
        /// WebSocket endpoints, which are relayed to. Never empty.
        case websocket([WebSocketEndpoint])
        /// TCP, TLS or Unix endpoints, which are bridged to. Never empty.
        case tcp([TCPEndpoint], message: BridgeMessage)
    }

    package var name: String
    package var kind: Kind
    /// `tls:` towards `wss://` and `tls://` endpoints.
    package var tls = EndpointTLS()
    package var host = Keys.backend.host.default
    /// The local address to connect from; `nil`: the system chooses.
    package var source: IPAddress?
    package var balance = Keys.backend.balance.default
    /// How each endpoint is checked; `nil`: it is not.
    package var health: HealthCheckSettings?
    /// When failed sessions take an endpoint out of use; `nil`: never.
    package var eject: EjectSettings?
    /// How long it takes until an endpoint that came up gets its whole share of new sessions; `nil`: it gets it at once.
    package var slowStart = Keys.backend.slowStart.default
    /// The move of sessions to an endpoint that came up; `nil`: they stay.
    package var rebalance: RebalanceSettings?

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

package enum BuiltinService: Equatable, Sendable {
    case echo
    case broadcast
    /// Sends a text message with the time, one per `every`.
    case clock(every: Duration)
}

/// `health:` how the endpoints of a backend are checked.
package struct HealthCheckSettings: Equatable, Sendable, KeyedSettings {
    package var check: HealthCheckKind
    package var interval = Keys.health.interval.default
    package var timeout = Keys.health.timeout.default
    /// The number of checks in a row that must pass before an endpoint that is down is up again.
    package var rise = Keys.health.rise.default
    /// The number of checks in a row that must fail before an endpoint that is up is down.
    package var fall = Keys.health.fall.default
    /// The path and query to ask for; `nil`: the endpoint's own, or `/`.
    package var path: String?
    /// The Host to send; `nil`: the endpoint's authority.
    package var host: String?
    /// The subprotocol that a `websocket` check offers, and that the answer must accept.
    package var subprotocol: String?
    /// The status that passes a `http` check; `nil`: any from 200 to 399.
    package var status: Int?

    package init(check: HealthCheckKind) {
        self.check = check
    }

    static let fields = [
        Field(Keys.health.interval, \Self.interval),
        Field(Keys.health.timeout, \.timeout),
        Field(Keys.health.rise, \.rise),
        Field(Keys.health.fall, \.fall),
        Field(Keys.health.path, \.path),
        Field(Keys.health.host, \.host),
        Field(Keys.health.subprotocol, \.subprotocol),
        Field(Keys.health.status, \.status),
    ]
}

/// `eject:` when failed sessions take an endpoint out of use.
package struct EjectSettings: Equatable, Sendable, KeyedSettings {
    /// The number of sessions in a row that must fail to connect or to open.
    package var failures = Keys.eject.failures.default
    /// How long the endpoint is out of use.
    package var duration = Keys.eject.duration.default

    package init() {}

    static let fields = [
        Field(Keys.eject.failures, \Self.failures),
        Field(Keys.eject.duration, \.duration),
    ]
}

/// `rebalance:` the move of sessions to an endpoint that came up.
package struct RebalanceSettings: Equatable, Sendable {
    /// The most sessions that are closed per second.
    package var rate: Double

    package init(rate: Double) {
        self.rate = rate
    }
}

/// `tls:` of a backend.
package struct EndpointTLS: Equatable, Sendable, KeyedSettings {
    /// A PEM file of authorities; `nil`: the system's.
    package var ca: String?
    /// The name for SNI and verification; `nil`: the endpoint's host.
    package var serverName: String?
    package var verify = Keys.backendTLS.verify.default

    package init() {}

    static let fields = [
        Field(Keys.backendTLS.ca, \Self.ca),
        Field(Keys.backendTLS.serverName, \.serverName),
        Field(Keys.backendTLS.verify, \.verify),
    ]
}
