internal import Balancing
internal import Configuration
internal import EventLoop
internal import Synchronization

/// One address in a backend, with what its name stands for and how it does at present. Shared by the workers.
final class Endpoint: Sendable {
    /// As logs and `explain` show it.
    let name: String
    let address: Address
    let usesTLS: Bool
    /// The endpoint's URL where it is a WebSocket, for Host and path.
    let webSocket: WebSocketEndpoint?

    /// A look-up of the name has no answer yet.
    let isBeingResolved = Atomic(false)

    /// Live sessions of all workers.
    let sessions = Atomic(0)
    /// Live sessions whose backend is late with a pong.
    let missing = Atomic(0)
    /// Sessions in a row, of all workers, that could not be opened.
    let failures = Atomic(0)
    /// An `EndpointHealth.State`, as the control thread knows it.
    let state = Atomic(EndpointHealth.State.up.rawValue)
    /// When it last came up, on the monotonic clock; 0: it was up from the start.
    let upSince = Atomic<Int64>(0)
    /// So many failures in a row concern the control thread; 0: none do.
    let failureLimit = Atomic(0)
    /// The control thread was told of failures, and did not look yet.
    private let isReported = Atomic(false)

    /// In the order of preference; a failed look-up leaves the last good ones.
    private let resolved = Mutex<Result<[SocketAddress], ResolveError>>(.success([]))

    init(_ endpoint: WebSocketEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = endpoint
        self.resolveLiteral()
    }

    init(_ endpoint: TCPEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = nil
        self.resolveLiteral()
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
    /// The host that it is named by, also an IP address; `nil` for a Unix socket.
    var hostName: String? { if case .tcp(let host, _) = self.address { host } else { nil } }
}

// MARK: - Health

extension Endpoint {
    /// Whether it gets new sessions.
    var isAvailable: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.up.rawValue }

    /// A session could not be opened, for a reason that is the endpoint's.
    ///
    /// - Returns: the control thread is to be told (`endpointFailed`). Not for each failure: it looks at all of them.
    func connectFailed() -> Bool {
        let row = self.failures.add(1, ordering: .relaxed).newValue
        let limit = self.failureLimit.load(ordering: .relaxed)
        guard limit > 0, row >= limit else { return false }
        return !self.isReported.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// A session was opened: a row of failures, if there is one, is over.
    ///
    /// - Returns: the control thread is to be told (`endpointRecovered`).
    func connectSucceeded() -> Bool {
        // Nearly always: nothing is written, so that the workers do not take each other's cache line away.
        guard self.failures.load(ordering: .relaxed) > 0 else { return false }
        let row = self.failures.exchange(0, ordering: .relaxed)
        let limit = self.failureLimit.load(ordering: .relaxed)
        return limit > 0 && row >= limit
    }

    /// For the control thread: the failures in a row it was told of, and those since.
    func takeReport() -> Int {
        _ = self.isReported.exchange(false, ordering: .acquiringAndReleasing)
        return self.failures.load(ordering: .relaxed)
    }
}
