public import HTTP1

/// A named group of endpoints, or a built-in service.
public struct BackendSettings: Equatable, Sendable {
    /// What stands at the other end of its sessions.
    public enum Kind: Equatable, Sendable {
        /// A service of the gateway itself, without endpoints.
        case builtin(BuiltinService)
        /// WebSocket endpoints, which are relayed to. Never empty.
        case websocket([WebSocketEndpoint])
        /// TCP, TLS or Unix endpoints, which are bridged to. Never empty.
        case tcp([TCPEndpoint], message: BridgeMessage)
        /// TCP servers or Unix sockets, which are bridged to: the token of each request names one in a file.
        case tokens(Tokens, message: BridgeMessage)
    }

    /// `tokens` and `token`: which tokens there are, and where a request has its own.
    public struct Tokens: Equatable, Sendable {
        /// A file of tokens (`TokenFile`), or a folder of such files.
        public var path: String
        /// `token`
        public var place: TargetTokenPlace

        /// - Parameter path: not empty.
        public init(path: String, place: TargetTokenPlace) {
            self.path = path
            self.place = place
        }
    }

    /// The key under `backends`, which routes and metrics name.
    public var name: String
    /// A built-in service, or endpoints.
    public var kind: Kind
    /// `tls:` towards `wss://` and `tls://` endpoints.
    public var tls = TLS()
    /// `host`: the Host field that WebSocket endpoints are sent.
    public var host = Keys.backend.host.default
    /// The local address to connect from; `nil`: the system chooses.
    public var source: IPAddress?
    /// The version of the PROXY header with which connections begin; `nil`: there is none.
    public var sendProxyProtocol = Keys.backend.sendProxyProtocol.default
    /// `balance`: which endpoint gets the next session.
    public var balance = Keys.backend.balance.default
    /// `cookie`: how `balance: cookie` sets its cookie.
    public var cookie = Cookie()
    /// `slow-consumer` of a broadcast backend.
    public var slowConsumer = Keys.backend.slowConsumer.default
    /// What a broadcast backend remembers of its rooms; `nil`: nothing.
    public var history: History?
    /// How each endpoint is checked; `nil`: it is not.
    public var health: HealthCheck?
    /// When failed sessions take an endpoint out of use; `nil`: never.
    public var eject: Eject?
    /// How long it takes until an endpoint that came up gets its whole share of new sessions; `nil`: it gets it at once.
    public var slowStart = Keys.backend.slowStart.default
    /// The move of sessions to an endpoint that came up; `nil`: they stay.
    public var rebalance: Rebalance?

    /// A backend in which every other key is absent.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// What becomes of the bytes of a TCP server; `nil`: it has none.
    public var bridgeMessage: BridgeMessage? {
        switch self.kind {
        case .tcp(_, let message), .tokens(_, let message): message
        case .builtin, .websocket: nil
        }
    }

    /// Where a request has the token that names its endpoint; `nil`: endpoints are not named by tokens.
    public var tokenPlace: TargetTokenPlace? {
        if case .tokens(let tokens, _) = self.kind { tokens.place } else { nil }
    }

    /// The name of the cookie of `balance: cookie`.
    public var cookieName: String { "gateway-\(self.name)" }
}

/// What a built-in service does with its clients' messages.
public enum BuiltinService: Equatable, Sendable {
    /// Sends each message back to the client that sent it.
    case echo
    /// Sends each message to all clients of its room: those with the same backend and path.
    case broadcast
    /// Sends a text message with the time, one per `every`.
    case clock(every: Duration)
}

extension BackendSettings {
    /// `cookie:` how `balance: cookie` sets its cookie.
    public struct Cookie: Equatable, Sendable, KeyedSettings {
        /// `same-site`
        public var sameSite = Keys.cookie.sameSite.default
        /// The secret that makes the value an HMAC; `nil`: it is a plain hash. Never empty, and never shown.
        public var key: String?

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.cookie.sameSite, \Self.sameSite),
            Field(Keys.cookie.key, \.key),
        ]
    }

    /// `history:` what a broadcast backend remembers of its rooms.
    public struct History: Equatable, Sendable, KeyedSettings {
        /// `messages`: the most of each room.
        public var messages = Keys.history.messages.default
        /// `for`: how long they are remembered after the last one.
        public var lifetime = Keys.history.lifetime.default
        /// `memory`: for all rooms together.
        public var memory = Keys.history.memory.default

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.history.messages, \Self.messages),
            Field(Keys.history.lifetime, \.lifetime),
            Field(Keys.history.memory, \.memory),
        ]
    }

    /// `health:` how the endpoints of a backend are checked.
    public struct HealthCheck: Equatable, Sendable, KeyedSettings {
        /// `check`: what an endpoint must answer.
        public var check: HealthCheckKind
        /// `interval`: the time from one check of an endpoint to the next.
        public var interval = Keys.health.interval.default
        /// `timeout`: a check that takes longer has failed.
        public var timeout = Keys.health.timeout.default
        /// The number of checks in a row that must pass before an endpoint that is down is up again.
        public var rise = Keys.health.rise.default
        /// The number of checks in a row that must fail before an endpoint that is up is down.
        public var fall = Keys.health.fall.default
        /// The path and query to ask for; `nil`: the endpoint's own, or `/`.
        public var path: String?
        /// The Host to send; `nil`: the endpoint's authority.
        public var host: String?
        /// The subprotocol that a `websocket` check offers, and that the answer must accept.
        public var subprotocol: String?
        /// Further fields of the request of a `websocket` or `http` check, in place of the gateway's own of these names. Values may be
        /// credentials, and are shown nowhere.
        public var headers = HTTPFields()
        /// The status that passes a `http` check; `nil`: any from 200 to 399.
        public var status: Int?

        /// Checks of this kind, in which every other key is absent.
        public init(check: HealthCheckKind) {
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
    public struct Eject: Equatable, Sendable, KeyedSettings {
        /// The number of sessions in a row that must fail to connect or to open.
        public var failures = Keys.eject.failures.default
        /// How long the endpoint is out of use.
        public var duration = Keys.eject.duration.default

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.eject.failures, \Self.failures),
            Field(Keys.eject.duration, \.duration),
        ]
    }

    /// `rebalance:` the move of sessions to an endpoint that came up.
    public struct Rebalance: Equatable, Sendable {
        /// The most sessions that are closed per second.
        public var rate: Double

        /// `rate` is above 0.
        public init(rate: Double) {
            self.rate = rate
        }
    }

    /// `tls:` of a backend.
    public struct TLS: Equatable, Sendable, KeyedSettings {
        /// A PEM file of authorities; `nil`: the system's.
        public var ca: String?
        /// The name for SNI and verification; `nil`: the endpoint's host.
        public var serverName: String?
        /// Shown to endpoints that ask for a certificate; `nil`: they get none.
        public var certificate: CertificateFiles?
        /// `verify`: whether the endpoint's certificate and name are checked.
        public var verify = Keys.backendTLS.verify.default

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.backendTLS.ca, \Self.ca),
            Field(Keys.backendTLS.serverName, \.serverName),
            Field(Keys.backendTLS.verify, \.verify),
        ]
    }
}
