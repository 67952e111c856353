public import Admission
internal import Balancing
internal import Configuration
internal import Connections
internal import Sessions
public import System
public import TLS

/// One worker's part of the active configuration: the state of its balancing, and its own libssl contexts.
///
/// A session opens under the configuration that it began with, even if a reload comes meanwhile.
public final class WorkerConfiguration {
    /// What all workers share.
    public let shared: ActiveConfiguration
    private var choices: [EndpointChoice]
    /// Those of the backends, then those of the auth services.
    private let clientContexts: [TLSClientContext?]

    /// Makes libssl contexts.
    ///
    /// - Parameter previous: the configuration until now; its balancing state is kept.
    /// - Throws: what libssl refuses.
    public init(
        _ shared: ActiveConfiguration, io: TLSIO, replacing previous: WorkerConfiguration? = nil
    ) throws(TLSError) {
        self.shared = shared
        self.choices = shared.backends.map { backend in
            let policy = backend.settings.balance.policy
            guard let old = previous?.shared.backend(named: backend.name), let choice = previous?.choices[old.index],
                choice.policy == policy
            else { return EndpointChoice(policy) }
            return choice
        }
        self.clientContexts = try TLSClientContext.shared(shared.clientTLS + shared.authTLS, io: io)
    }

    /// The endpoint for a new session; `nil` if none is up.
    ///
    /// - Parameters:
    ///   - tried: the endpoints to which connecting has failed.
    ///   - placement: what its request asks for.
    public func chooseEndpoint(
        of backend: Backend, except tried: [Endpoint], for placement: Placement, now: MonotonicInstant
    ) -> Endpoint? {
        let candidates = backend.endpoints.indices.map { index in
            backend.candidate(index, isTried: tried.contains { $0 === backend.endpoints[index] }, now: now)
        }
        var random = SystemRandomness()
        return self.choices[backend.index].choose(among: candidates, for: placement.wish, using: &random).map {
            backend.endpoints[$0]
        }
    }

    /// Connects to an endpoint, once it is started.
    ///
    /// - Parameters:
    ///   - addresses: the endpoint's.
    ///   - tag: of the connection.
    ///   - preface: what it begins with (`Backend.preface`).
    ///   - limit: `timeouts.connect` of the route.
    ///   - end: when the owner's own time is over.
    func connector(
        to endpoint: Endpoint, of backend: Backend, at addresses: [SocketAddress], tag: UInt8, preface: [UInt8],
        within limit: Duration?, until end: MonotonicInstant, _ connections: ConnectionContext,
        for owner: any ConnectorOwner
    ) -> Connector {
        Connector(
            to: addresses, from: backend.source, tag: tag, preface: preface,
            tls: { endpoint.usesTLS ? try self.clientConnection(of: backend, to: endpoint) : nil }, history: endpoint,
            within: limit ?? Timeouts().connect, until: end, connections, for: owner)
    }

    /// Connects to an auth service, once it is started.
    ///
    /// - Parameters:
    ///   - service: one of this configuration.
    ///   - addresses: those of its endpoint.
    ///   - limit: `timeouts.connect` of the route.
    ///   - end: when it has to have answered.
    func connector(
        to service: AuthService, at addresses: [SocketAddress], within limit: Duration, until end: MonotonicInstant,
        _ connections: ConnectionContext, for owner: any ConnectorOwner
    ) -> Connector {
        let context = self.clientContexts[self.shared.backends.count + service.index]
        return Connector(
            to: addresses, tls: { try context?.makeConnection(serverName: service.endpoint.hostName) },
            history: service.endpoint, within: limit, until: end, connections, for: owner)
    }

    /// A TLS connection for an endpoint; `nil` without TLS.
    ///
    /// - Throws: if the name to verify is not a host name.
    public func clientConnection(of backend: Backend, to endpoint: Endpoint) throws(TLSError) -> TLSConnection? {
        guard let context = self.clientContexts[backend.index] else { return nil }
        return try context.makeConnection(serverName: backend.settings.tls.serverName ?? endpoint.hostName)
    }
}

extension Balance {
    fileprivate var policy: EndpointChoice.Policy {
        switch self {
        case .leastSessions: .leastSessions
        case .randomTwo: .randomTwo
        // Clients that ask for no endpoint take turns.
        case .roundRobin, .hashAddress, .hashPath, .cookie, .hashCookie, .hashHeader, .hashQuery: .roundRobin
        }
    }
}

extension Placement {
    fileprivate var wish: EndpointChoice.Wish {
        switch self {
        case .any: .any
        case .value(let value): .key(StableHash.of(value))
        case .endpoint(let place): .candidate(place)
        }
    }
}
