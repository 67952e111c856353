public import Balancing
public import Configuration
internal import Synchronization
public import System

/// A named group of endpoints, or a built-in service.
public final class Backend: Sendable {
    /// An endpoint's part in its backend.
    public struct Share: Sendable {
        public let weight: Int
        public let isBackup: Bool
    }

    /// The place of what each worker keeps for this backend.
    public let index: Int
    public let settings: BackendSettings
    /// Empty for a built-in service.
    public let endpoints: [Endpoint]
    /// In the order of the endpoints.
    public let shares: [Share]
    /// The places of endpoints.
    private let indices: [String: Int]
    /// Where connections come from; `nil`: the system's choice.
    public let source: SocketAddress?

    /// - Parameter previous: the backend of this name until now. Endpoints that it had, too, are the same objects.
    public init(index: Int, _ settings: BackendSettings, replacing previous: Backend? = nil) {
        self.index = index
        self.settings = settings
        let made: [Endpoint]
        switch settings.kind {
        case .builtin:
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
        self.source = settings.source.map { SocketAddress($0, port: 0) }
    }

    public var name: String { self.settings.name }

    public func endpoint(named name: String) -> Endpoint? { self.indices[name].map { self.endpoints[$0] } }

    /// Whether it is one of these, and not only called like one.
    public func has(_ endpoint: Endpoint) -> Bool { self.endpoint(named: endpoint.name) === endpoint }

    /// What the choice of an endpoint for a new session goes by.
    ///
    /// - Parameter isTried: a connection to it failed a moment ago.
    public func candidate(_ index: Int, isTried: Bool, now: MonotonicInstant) -> EndpointChoice.Candidate {
        let endpoint = self.endpoints[index]
        let share = self.shares[index]
        let ramp = SlowStart.factor(
            sinceUp: now - endpoint.upSince, over: self.settings.slowStart ?? .zero)
        return EndpointChoice.Candidate(
            weight: Double(share.weight) * ramp, sessions: endpoint.sessions.load(ordering: .relaxed),
            isBackup: share.isBackup, isAvailable: endpoint.isAvailable && !isTried, identity: endpoint.identity)
    }
}
