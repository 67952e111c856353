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
    package var host = HostHeader.pass
    /// The local address connections come from; `nil`: the system's choice.
    package var source: IPAddress?
    package var balance = Balance.roundRobin
    /// Active checks of each endpoint; `nil`: none.
    package var health: HealthCheckSettings?
    /// When failures of sessions take an endpoint out; `nil`: never.
    package var eject: EjectSettings?
    /// How long an endpoint that came up takes to get its whole share of new sessions; `nil`: it gets it at once.
    package var slowStart: Duration?
    /// The gentle move of sessions to an endpoint that came up; `nil`: none.
    package var rebalance: RebalanceSettings?

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

package enum BuiltinService: Equatable, Sendable {
    case echo
    case broadcast
    /// Sends the time as a text message at each `every`.
    case clock(every: Duration)
}

/// What a bridge makes of the bytes of a TCP server.
package enum BridgeMessage: String, CaseIterable, Sendable {
    case binary
    case text
}

package enum Balance: String, CaseIterable, Sendable {
    /// Each endpoint in turn.
    case roundRobin = "round-robin"
    /// The endpoint with the fewest live sessions, on all workers.
    case leastSessions = "least-sessions"
    /// The same endpoint for the same client address.
    case hashAddress = "hash-address"
    /// The same endpoint for the same path.
    case hashPath = "hash-path"
    /// The one with fewer sessions of two that are drawn.
    case randomTwo = "random-two"
}

/// `health:` how the endpoints of a backend are checked.
package struct HealthCheckSettings: Equatable, Sendable {
    package enum Check: String, CaseIterable, Sendable {
        /// An opening handshake, a ping and its pong.
        case websocket
        /// A TCP connection, and TLS where the endpoint has it.
        case connect
        /// A GET request and its status.
        case http
    }

    package var check: Check
    package var interval = Duration.seconds(5)
    package var timeout = Duration.seconds(2)
    /// So many checks in a row pass before an endpoint that was down is up.
    package var rise = 2
    /// So many checks in a row fail before an endpoint that was up is down.
    package var fall = 3
    /// The path and query asked for; `nil`: the endpoint's own, or `/`.
    package var path: String?
    /// The Host sent; `nil`: the endpoint's authority.
    package var host: String?
    /// The subprotocol that a `websocket` check offers and wants answered.
    package var subprotocol: String?
    /// The status that a `http` check wants; `nil`: any from 200 to 399.
    package var status: Int?

    package init(check: Check) {
        self.check = check
    }
}

/// `eject:` what sessions learn of an endpoint.
package struct EjectSettings: Equatable, Sendable {
    /// So many failures in a row to connect or to open a session take the endpoint out.
    package var failures = 5
    /// For so long.
    package var duration = Duration.seconds(10)

    package init() {}
}

/// `rebalance:` the move of sessions after an endpoint came up.
package struct RebalanceSettings: Equatable, Sendable {
    /// The most sessions that are closed per second.
    package var rate: Double

    package init(rate: Double) {
        self.rate = rate
    }
}

/// The Host field a WebSocket backend sees.
package enum HostHeader: Equatable, Sendable {
    /// The client's.
    case pass
    /// The authority of the endpoint's URL.
    case endpoint
    case name(String)
}

/// `ws://127.0.0.1:3000`, `wss://10.0.0.2:3001/chat`.
package struct WebSocketEndpoint: Equatable, Sendable {
    package var address: Address
    package var tls: Bool
    /// What stands between scheme and path in the URL, as written: the Host where `host: endpoint`.
    package var authority: String
    /// The URL's path; `nil` where it has none: the client's path and query are passed on.
    package var path: String?
    /// Its share, relative to the others.
    package var weight = 1
    /// Used only while no other endpoint is up.
    package var backup = false

    package init(address: Address, tls: Bool, authority: String, path: String?) {
        self.address = address
        self.tls = tls
        self.authority = authority
        self.path = path
    }

    /// The URL, as logs and `explain` show it.
    package var description: String { "\(self.tls ? "wss" : "ws")://\(self.authority)\(self.path ?? "")" }
}

/// `127.0.0.1:5900`, `tls://broker:8883`, `unix:/run/vnc.sock`.
package struct TCPEndpoint: Equatable, Sendable {
    package var address: Address
    package var tls: Bool
    /// Its share, relative to the others.
    package var weight = 1
    /// Used only while no other endpoint is up.
    package var backup = false

    package init(address: Address, tls: Bool = false) {
        self.address = address
        self.tls = tls
    }

    /// The endpoint, as logs and `explain` show it.
    package var description: String { (self.tls ? "tls://" : "") + self.address.description }
}

/// `tls:` of a backend.
package struct EndpointTLS: Equatable, Sendable {
    /// A PEM file of authorities; `nil`: the system's.
    package var ca: String?
    /// The name for SNI and verification; `nil`: the endpoint's host.
    package var serverName: String?
    package var verify = true

    package init() {}
}
