public import Balancing
public import Configuration
public import Connections
public import Synchronization
public import System

/// One address in a backend, with the addresses of its name and its health. Shared by the workers; a reload keeps it if the backend
/// still has it.
public final class Endpoint: Sendable {
    /// As logs and `explain` show it.
    public let name: String
    public let address: Address
    public let usesTLS: Bool
    /// The endpoint's URL where it is a WebSocket, for Host and path.
    public let webSocket: WebSocketEndpoint?

    /// What it is called by in a consistent hash: the same in every process.
    public let identity: UInt64

    /// Live sessions, of all workers, and those that are connecting to it.
    public let sessions = Atomic<Int>(0)
    /// Sessions that could not be opened, in a row.
    public let failures = Atomic<Int>(0)
    /// Live sessions whose backend is late with a pong.
    public let missing = Atomic<Int>(0)
    /// So many failures in a row concern the control thread; 0: none do.
    public let failureLimit = Atomic<Int>(0)
    /// The control thread was told of failures, and did not look yet.
    private let isReported = Atomic(false)
    /// Its health, as the control thread sees it: a raw `EndpointHealth.State`.
    private let state = Atomic<UInt8>(EndpointHealth.State.up.rawValue)
    /// When it last came up, for slow start. At the beginning that is long ago.
    private let upSinceNanoseconds = Atomic<Int64>(.min / 2)

    /// The host name that has to be looked up; `nil` for an IP address or a Unix socket.
    public let hostToResolve: (host: String, port: UInt16)?
    /// The control thread was told that the name is to be looked up, and did not do so yet.
    private let isLookUpWanted = Atomic(false)
    private let addressBook = Mutex(AddressBook())

    public init(_ endpoint: WebSocketEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = endpoint
        self.identity = StableHash.of(endpoint.description.utf8)
        self.hostToResolve = Self.hostToResolve(endpoint.address)
        self.resolveLiteral()
    }

    public init(_ endpoint: TCPEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = nil
        self.identity = StableHash.of(endpoint.description.utf8)
        self.hostToResolve = Self.hostToResolve(endpoint.address)
        self.resolveLiteral()
    }

    private static func hostToResolve(_ address: Address) -> (host: String, port: UInt16)? {
        guard case .tcp(let host, let port) = address, !Resolver.isLiteral(host) else { return nil }
        return (host, port)
    }

    /// Whether it gets new sessions.
    public var isAvailable: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.up.rawValue }

    public var isDraining: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.draining.rawValue }

    public var upSince: MonotonicInstant {
        MonotonicInstant(nanoseconds: self.upSinceNanoseconds.load(ordering: .relaxed))
    }

    /// Says how it is: for the control thread.
    public func publish(_ state: EndpointHealth.State, at now: MonotonicInstant) {
        let before = self.state.exchange(state.rawValue, ordering: .relaxed)
        if state == .up, before != state.rawValue {
            self.upSinceNanoseconds.store(now.nanoseconds, ordering: .relaxed)
        }
    }

    /// The host that it is named by, also an IP address; `nil` for a Unix socket.
    public var hostName: String? { if case .tcp(let host, _) = self.address { host } else { nil } }

    private func resolveLiteral() {
        if let address = SocketAddress(unix: self.address) {
            _ = self.update(.success([address]))
        } else if case .tcp(let host, let port) = self.address, Resolver.isLiteral(host) {
            _ = self.update(Resolver.literal(host, port: port))
        }
    }
}

// MARK: - Addresses

extension Endpoint: AddressHistory {
    /// Where to connect, in the order in which to try it (`AddressBook`); or why that is not known.
    public func addresses(at now: MonotonicInstant) -> Result<[SocketAddress], ResolveError> {
        var random = SystemRandomness()
        return self.addressBook.withLock { $0.inOrder(at: now, using: &random) }
    }

    /// Takes the answer of a look-up. Returns false if that changed nothing.
    public func update(_ answer: Result<[SocketAddress], ResolveError>) -> Bool {
        self.addressBook.withLock { $0.update(answer) }
    }

    public func failed(at address: SocketAddress, now: MonotonicInstant) {
        self.addressBook.withLock { $0.failed(address, at: now) }
    }

    public func connected(at address: SocketAddress) { self.addressBook.withLock { $0.connected(address) } }

    /// Nothing could be connected to: what its name stands for may have changed.
    ///
    /// - Returns: the control thread is to be told (`ControlMessage.unreachable`).
    public func wantsLookUp() -> Bool {
        self.hostToResolve != nil && !self.isLookUpWanted.exchange(true, ordering: .relaxed)
    }

    /// For the control thread: it was told, and does what is to be done.
    public func takeLookUp() { self.isLookUpWanted.store(false, ordering: .relaxed) }
}

// MARK: - What sessions notice

extension Endpoint {
    /// A session could not be opened, for a reason that is the endpoint's.
    ///
    /// - Returns: the control thread is to be told. Not of each failure: it looks at all of them.
    public func connectFailed() -> Bool {
        let row = self.failures.add(1, ordering: .relaxed).newValue
        let limit = self.failureLimit.load(ordering: .relaxed)
        guard limit > 0, row >= limit else { return false }
        return !self.isReported.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// A session was opened: a row of failures, if there is one, is over.
    ///
    /// - Returns: the control thread is to be told.
    public func connectSucceeded() -> Bool {
        // Shared memory is written only where there is news.
        guard self.failures.load(ordering: .relaxed) > 0 else { return false }
        let row = self.failures.exchange(0, ordering: .relaxed)
        let limit = self.failureLimit.load(ordering: .relaxed)
        return limit > 0 && row >= limit
    }

    /// For the control thread: the failures in a row that it was told of, and those since.
    public func takeReport() -> Int {
        _ = self.isReported.exchange(false, ordering: .acquiringAndReleasing)
        return self.failures.load(ordering: .relaxed)
    }
}
