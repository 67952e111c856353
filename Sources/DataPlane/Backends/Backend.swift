public import Admission
public import Balancing
public import Configuration
public import ProxyProtocol
internal import Synchronization
public import System
internal import TLS

/// A named group of endpoints, or a built-in service.
public final class Backend: Sendable {
    /// An endpoint's part in its backend.
    public struct Share: Sendable {
        /// The configured weight, relative to the other endpoints.
        public let weight: Int
        /// Whether the endpoint is used only while no other is up.
        public let isBackup: Bool
    }

    /// The index of what each worker keeps for this backend.
    public let index: Int
    /// The backend as configured.
    public let settings: BackendSettings
    /// Those that the configuration names. Empty for a built-in service, and where tokens name them.
    public let endpoints: [Endpoint]
    /// In the order of the endpoints.
    public let shares: [Share]
    /// Indices by endpoint name.
    private let indices: [String: Int]
    /// The endpoints that tokens name; `nil`: the configuration names them.
    public let tokens: TokenTargets?
    /// Its rooms; `nil`: it is no `broadcast`.
    public let rooms: BackendRooms?
    /// How requests are placed among the endpoints.
    public let placing: PlacementRule
    /// The local address to connect from; `nil` lets the system choose.
    public let source: SocketAddress?

    /// Makes the endpoints.
    ///
    /// - Parameters:
    ///   - index: see `index`.
    ///   - previous: the backend of this name until now. Endpoints that it also has are the same objects, and so keep their health. Tokens
    ///     and rooms stay.
    public init(index: Int, _ settings: BackendSettings, replacing previous: Backend? = nil) {
        self.index = index
        self.settings = settings
        let made: [Endpoint]
        switch settings.kind {
        case .builtin, .tokens:
            made = []
            self.shares = []
        case .websocket(let endpoints):
            made = endpoints.map { Endpoint($0) }
            self.shares = endpoints.map { Share(weight: $0.weight, isBackup: $0.backup) }
        case .tcp(let endpoints, _):
            made = endpoints.map { Endpoint($0) }
            self.shares = endpoints.map { Share(weight: $0.weight, isBackup: $0.backup) }
        }
        self.endpoints = made.map { endpoint in previous?.endpoint(named: endpoint.name) ?? endpoint }
        self.indices = Dictionary(made.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.placing = PlacementRule(
            settings.balance,
            cookie: settings.balance == .cookie ? Self.cookie(settings, made.map(\.name)) : nil)
        self.tokens = Self.tokens(settings, previous?.tokens)
        self.rooms = settings.kind == .builtin(.broadcast) ? previous?.rooms ?? BackendRooms(of: settings.name) : nil
        self.source = settings.source.map { SocketAddress($0, port: 0) }
    }

    /// The same object as until now, if it is still about the same files.
    private static func tokens(_ settings: BackendSettings, _ previous: TokenTargets?) -> TokenTargets? {
        guard case .tokens(let tokens, _) = settings.kind else { return nil }
        return previous?.path == tokens.path ? previous : TokenTargets(path: tokens.path)
    }

    /// Those that the configuration names, and those that tokens name by now.
    public var allEndpoints: [Endpoint] { self.endpoints + (self.tokens?.current?.endpoints ?? []) }

    /// The values are 16 hexadecimal digits of a hash of each endpoint: enough to tell them apart. With a key they say nothing of the endpoint.
    private static func cookie(_ settings: BackendSettings, _ names: [String]) -> EndpointCookie {
        let digits = Array("0123456789abcdef")
        let values = names.map { name in
            let name = Array(name.utf8)
            let digest = settings.cookie.key.map { Digest.hmac(name, key: Array($0.utf8)) } ?? Digest.sha256(name)
            return String(digest.prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
        return EndpointCookie(of: settings, values: values)
    }

    /// The name in the configuration.
    public var name: String { self.settings.name }

    /// What a connection to an endpoint begins with, before TLS: a PROXY header, or nothing.
    ///
    /// - Parameter header: what it says.
    public func preface(_ header: @autoclosure () -> ProxyHeader) -> [UInt8] {
        self.settings.sendProxyProtocol.map { header().bytes($0) } ?? []
    }

    /// `nil` if there is none of this name.
    public func endpoint(named name: String) -> Endpoint? { self.indices[name].map { self.endpoints[$0] } }

    /// The place of an endpoint among `endpoints`; `nil` if it is none of them.
    func place(of endpoint: Endpoint) -> Int? {
        self.indices[endpoint.name].flatMap { self.endpoints[$0] === endpoint ? $0 : nil }
    }

    /// Whether this very object is one of the backend's endpoints; an equal name is not enough.
    public func has(_ endpoint: Endpoint) -> Bool { self.place(of: endpoint) != nil }

    /// The endpoint at `index`, as the choice of an endpoint for a new session sees it.
    ///
    /// - Parameter isTried: whether connecting to it has just failed.
    public func candidate(_ index: Int, isTried: Bool, now: MonotonicInstant) -> EndpointChoice.Candidate {
        let endpoint = self.endpoints[index]
        let share = self.shares[index]
        let ramp = SlowStart.factor(
            sinceUp: now - endpoint.upSince, over: self.settings.slowStart ?? .zero)
        return EndpointChoice.Candidate(
            weight: Double(share.weight) * ramp, sessions: endpoint.sessions.load(ordering: .relaxed),
            isBackup: share.isBackup, isAvailable: endpoint.isAvailable && !isTried,
            isReserved: endpoint.isReserved && !isTried, identity: endpoint.identity)
    }
}
