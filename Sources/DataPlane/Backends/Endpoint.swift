public import Balancing
public import Configuration
public import Connections
public import Synchronization
public import System

/// One address in a backend, with the IP addresses of its name and its health. All workers share it; a reload keeps it if the backend
/// still has it.
public final class Endpoint: Sendable {
    /// The name for logs and `explain`.
    public let name: String
    /// The configured address.
    public let address: Address
    /// Whether connections to it use TLS.
    public let usesTLS: Bool
    /// The endpoint's URL, for Host and path; `nil` if it is not a WebSocket.
    public let webSocket: WebSocketEndpoint?

    /// The endpoint's value in a consistent hash: the same in every process.
    public let identity: UInt64

    /// Live sessions of all workers, including those that are connecting to it.
    public let sessions = Atomic<Int>(0)
    /// How many sessions in a row could not be opened.
    public let failures = Atomic<Int>(0)
    /// Live sessions with a backend that is late with a pong.
    public let missing = Atomic<Int>(0)
    /// After this many failures in a row the control thread is told; 0: never.
    public let failureLimit = Atomic<Int>(0)
    /// The control thread was told of failures and has not looked yet.
    private let isReported = Atomic(false)
    /// The health that the control thread published: a raw `EndpointHealth.State`.
    private let state = Atomic<UInt8>(EndpointHealth.State.up.rawValue)
    /// When it last came up, for slow start. Initially long ago.
    private let upSinceNanoseconds = Atomic<Int64>(.min / 2)

    /// The host name to look up; `nil` for an IP address or a Unix socket.
    public let hostToResolve: (host: String, port: UInt16)?
    /// The control thread was told to look the name up and has not done so yet.
    private let isLookUpWanted = Atomic(false)
    private let addressBook = Mutex(AddressBook())

    /// An endpoint for a relay.
    public init(_ endpoint: WebSocketEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = endpoint
        self.identity = StableHash.of(endpoint.description.utf8)
        self.hostToResolve = Self.hostToResolve(endpoint.address)
        self.resolveLiteral()
    }

    /// An endpoint for a bridge.
    public init(_ endpoint: TCPEndpoint) {
        self.name = endpoint.description
        self.address = endpoint.address
        self.usesTLS = endpoint.tls
        self.webSocket = nil
        self.identity = StableHash.of(endpoint.description.utf8)
        self.hostToResolve = Self.hostToResolve(endpoint.address)
        self.resolveLiteral()
    }

    /// Something that the gateway itself asks. The name leaves path and query out, which may have a secret.
    init(_ url: WebURL) {
        self.name = "\(url.tls ? "https" : "http")://\(url.authority)"
        self.address = url.address
        self.usesTLS = url.tls
        self.webSocket = nil
        self.identity = 0
        self.hostToResolve = Self.hostToResolve(url.address)
        self.resolveLiteral()
    }

    private static func hostToResolve(_ address: Address) -> (host: String, port: UInt16)? {
        guard case .tcp(let host, let port) = address, !Resolver.isLiteral(host) else { return nil }
        return (host, port)
    }

    /// Whether it gets new sessions.
    public var isAvailable: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.up.rawValue }

    /// Whether it gets only sessions that ask for it.
    public var isReserved: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.reserved.rawValue }

    /// Whether it gets no new sessions, and those that it has are closed.
    public var isDraining: Bool { self.state.load(ordering: .relaxed) == EndpointHealth.State.draining.rawValue }

    /// When it last came up; long ago if it was never down.
    public var upSince: MonotonicInstant {
        MonotonicInstant(nanoseconds: self.upSinceNanoseconds.load(ordering: .relaxed))
    }

    /// Called by the control thread when the health changes.
    public func publish(_ state: EndpointHealth.State, at now: MonotonicInstant) {
        let before = self.state.exchange(state.rawValue, ordering: .relaxed)
        if state == .up, before != state.rawValue {
            self.upSinceNanoseconds.store(now.nanoseconds, ordering: .relaxed)
        }
    }

    /// The configured host, which may be an IP address; `nil` for a Unix socket.
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
    /// The addresses in the order to try them (`AddressBook`), or why they are unknown.
    public func addresses(at now: MonotonicInstant) -> Result<[SocketAddress], ResolveError> {
        var random = SystemRandomness()
        return self.addressBook.withLock { $0.inOrder(at: now, using: &random) }
    }

    /// Stores the answer of a look-up. Returns whether anything changed.
    public func update(_ answer: Result<[SocketAddress], ResolveError>) -> Bool {
        self.addressBook.withLock { $0.update(answer) }
    }

    /// See `AddressBook.failed`.
    public func failed(at address: SocketAddress, now: MonotonicInstant) {
        self.addressBook.withLock { $0.failed(address, at: now) }
    }

    /// See `AddressBook.connected`.
    public func connected(at address: SocketAddress) { self.addressBook.withLock { $0.connected(address) } }

    /// No address could be connected to: those of its name may have changed.
    ///
    /// - Returns: whether to tell the control thread (`ControlMessage.unreachable`).
    public func wantsLookUp() -> Bool {
        self.hostToResolve != nil && !self.isLookUpWanted.exchange(true, ordering: .relaxed)
    }

    /// Called by the control thread when it begins a look-up.
    public func takeLookUp() { self.isLookUpWanted.store(false, ordering: .relaxed) }
}

// MARK: - What sessions notice

extension Endpoint {
    /// A session could not be opened, and the endpoint is to blame.
    ///
    /// - Returns: whether to tell the control thread. It is not told of every failure, because it counts them all when it looks.
    public func connectFailed() -> Bool {
        let row = self.failures.add(1, ordering: .relaxed).newValue
        let limit = self.failureLimit.load(ordering: .relaxed)
        guard limit > 0, row >= limit else { return false }
        return !self.isReported.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// A session was opened, which ends a row of failures.
    ///
    /// - Returns: whether to tell the control thread.
    public func connectSucceeded() -> Bool {
        // Only news is written to memory that the workers share.
        guard self.failures.load(ordering: .relaxed) > 0 else { return false }
        let row = self.failures.exchange(0, ordering: .relaxed)
        let limit = self.failureLimit.load(ordering: .relaxed)
        return limit > 0 && row >= limit
    }

    /// Called by the control thread: the number of failures in a row by now.
    public func takeReport() -> Int {
        _ = self.isReported.exchange(false, ordering: .acquiringAndReleasing)
        return self.failures.load(ordering: .relaxed)
    }
}
