internal import Balancing
internal import Configuration
internal import EventLoop
internal import Synchronization

/// One address in a backend, with what its name stands for at present, and how it is. Shared by the workers; a reload keeps it where
/// the backend still has it.
final class Endpoint: Sendable {
    /// As logs and `explain` show it.
    let name: String
    let address: Address
    let usesTLS: Bool
    /// The endpoint's URL where it is a WebSocket, for Host and path.
    let webSocket: WebSocketEndpoint?

    /// What it is called by in a consistent hash: the same in every process.
    let identity: UInt64

    /// Live sessions, of all workers, and those that are connecting to it.
    let sessions = Atomic<Int>(0)
    /// Sessions that could not be opened, in a row.
    let failures = Atomic<Int>(0)
    /// Live sessions whose backend is late with a pong.
    let missing = Atomic<Int>(0)
    /// Its health, as the control thread sees it: a raw `EndpointHealth.State`.
    private let state = Atomic<UInt8>(EndpointHealth.State.up.rawValue)
    /// When it last came up, for slow start. At the beginning that is long ago.
    private let upSinceNanoseconds = Atomic<Int64>(.min / 2)

    /// A look-up of the name has no answer yet.
    let isBeingResolved = Atomic(false)

    /// In the order of preference; a failed look-up leaves the last good ones.
    private let resolved = Mutex<Result<[SocketAddress], ResolveError>>(.success([]))

    init(_ endpoint: WebSocketEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = endpoint
        self.identity = StableHash.of(endpoint.description.utf8)
        self.resolveLiteral()
    }

    init(_ endpoint: TCPEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = nil
        self.identity = StableHash.of(endpoint.description.utf8)
        self.resolveLiteral()
    }

    /// Whether it gets new sessions.
    var isAvailable: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.up.rawValue }

    var isDraining: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.draining.rawValue }

    var upSince: MonotonicInstant {
        MonotonicInstant(nanoseconds: self.upSinceNanoseconds.load(ordering: .relaxed))
    }

    /// Says how it is: for the control thread.
    func publish(_ state: EndpointHealth.State, at now: MonotonicInstant) {
        let before = self.state.exchange(state.rawValue, ordering: .relaxed)
        if state == .up, before != state.rawValue {
            self.upSinceNanoseconds.store(now.nanoseconds, ordering: .relaxed)
        }
    }

    /// Where to connect; or why nobody knows.
    var addresses: Result<[SocketAddress], ResolveError> { self.resolved.withLock { $0 } }

    /// The host name that has to be looked up; `nil` for an IP address or a Unix socket.
    var hostToResolve: (host: String, port: UInt16)? {
        guard case .tcp(let host, let port) = self.address, !Resolver.isLiteral(host) else { return nil }
        return (host, port)
    }

    /// Takes the answer of a look-up. Returns false if that changed nothing.
    func update(_ answer: Result<[SocketAddress], ResolveError>) -> Bool {
        self.resolved.withLock { resolved in
            if case .failure = answer, case .success(let known) = resolved, !known.isEmpty { return false }
            guard resolved != answer else { return false }
            resolved = answer
            return true
        }
    }

    private func resolveLiteral() {
        switch self.address {
        case .unix(let path): _ = self.update(.success([.unix(path: path)]))
        case .tcp(let host, let port):
            if Resolver.isLiteral(host) { _ = self.update(Resolver.addresses(of: host, port: port)) }
        }
    }
}
