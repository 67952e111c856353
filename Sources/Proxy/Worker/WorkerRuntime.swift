internal import Balancing
internal import Configuration
internal import System
internal import TLS

/// A runtime as one worker has it: with the turns of its backends, and libssl contexts of its own.
///
/// A session that is still being opened finishes with the one that it began with, whatever is reloaded meanwhile.
final class WorkerRuntime {
    let shared: Runtime
    /// What it means for sessions that were opened before.
    let plan: ReloadPlan
    private var choices: [EndpointChoice]
    private let clientContexts: [TLSClientContext?]

    /// - Parameter previous: what was in force until now: whose turn it is goes on from there.
    /// - Throws: `TLSError`, for what libssl refuses.
    init(_ snapshot: Snapshot, io: TLSIO, replacing previous: WorkerRuntime? = nil) throws(TLSError) {
        self.shared = snapshot.runtime
        self.plan = snapshot.plan
        self.choices = snapshot.runtime.backends.map { backend in
            let policy = backend.settings.balance.policy
            guard let old = previous?.shared.backend(named: backend.name), let choice = previous?.choices[old.index],
                choice.policy == policy
            else { return EndpointChoice(policy) }
            return choice
        }
        self.clientContexts = try TLSClientContext.shared(snapshot.clientTLS, io: io)
    }

    /// The endpoint for a new session; `nil`: none is up.
    ///
    /// - Parameters:
    ///   - tried: those that a connection failed to already.
    ///   - key: what sessions that should meet the same endpoint have in common.
    func chooseEndpoint(of backend: Backend, except tried: [Endpoint], key: UInt64, now: MonotonicInstant) -> Endpoint?
    {
        let candidates = backend.endpoints.indices.map { index in
            backend.candidate(index, isTried: tried.contains { $0 === backend.endpoints[index] }, now: now)
        }
        var random = SystemRandomness()
        return self.choices[backend.index].choose(among: candidates, key: key, using: &random).map {
            backend.endpoints[$0]
        }
    }

    /// - Throws: where the name to verify cannot be one.
    func clientConnection(of backend: Backend, to endpoint: Endpoint) throws(TLSError) -> TLSConnection? {
        guard let context = self.clientContexts[backend.index] else { return nil }
        return try context.makeConnection(serverName: backend.settings.tls.serverName ?? endpoint.hostName)
    }
}

extension Balance {
    fileprivate var policy: EndpointChoice.Policy {
        switch self {
        case .roundRobin: .roundRobin
        case .leastSessions: .leastSessions
        case .hashAddress, .hashPath: .hash
        case .randomTwo: .randomTwo
        }
    }
}

/// What a reload swaps: a runtime, and how each of its backends speaks TLS to its endpoints (`nil`: not at all).
struct Snapshot: Sendable {
    let runtime: Runtime
    let clientTLS: [TLSClientSettings?]
    /// What it means for sessions that there are.
    let plan: ReloadPlan

    /// - Parameter files: those that the configuration names.
    init(_ runtime: Runtime, _ files: FileSet = FileSet()) throws(StartError) {
        self.runtime = runtime
        var clientTLS: [TLSClientSettings?] = []
        var authorities: [String: TrustedAuthorities] = [:]
        for backend in runtime.backends {
            clientTLS.append(try Credentials.client(backend.settings, files, &authorities))
        }
        self.clientTLS = clientTLS
        self.plan = ReloadPlan(to: runtime)
    }
}
