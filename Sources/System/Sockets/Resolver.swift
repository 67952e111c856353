internal import CLinux
internal import DequeModule
internal import Glibc
internal import Synchronization

/// Resolves host names on threads of its own, because `getaddrinfo` can take seconds. There are several threads, so that a name
/// does not delay the others if its server does not answer.
public final class Resolver: Sendable {
    /// Looks up the addresses of a host, with a port. May block.
    public typealias LookUp = @Sendable (String, UInt16) -> Result<[SocketAddress], ResolveError>
    /// Gets the result, on a thread of the resolver.
    public typealias Answer = @Sendable (Result<[SocketAddress], ResolveError>) -> Void

    private struct Question: Sendable {
        let host: String
        let port: UInt16
        let answer: Answer
    }

    private struct State {
        var questions: Deque<Question> = []
        var isStopped = false
    }

    private let state = Mutex(State())
    /// A semaphore with the number of questions.
    private let bell: Int32
    private let threads: Int
    private let lookUp: LookUp

    /// - Parameters:
    ///   - threads: so many names are looked up at a time.
    ///   - lookUp: does it.
    public init(threads: Int = 4, lookUp: @escaping LookUp = Resolver.addresses) throws(SystemError) {
        self.threads = threads
        self.lookUp = lookUp
        self.bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
        guard self.bell >= 0 else { throw .last("eventfd") }
    }

    deinit {
        close(self.bell)
    }

    /// Starts the threads. They end after `stop`.
    public func start() throws(SystemError) {
        for _ in 0..<self.threads { _ = try Thread.start("gateway-resolve") { [self] in self.run() } }
    }

    /// Ends the threads. Questions that wait are not answered.
    public func stop() {
        self.state.withLock { $0.isStopped = true }
        _ = eventfd_write(self.bell, eventfd_t(self.threads))
    }

    /// Asks for the addresses of `host`. The answer comes on a thread of the resolver.
    public func resolve(host: String, port: UInt16, _ answer: @escaping Answer) {
        self.state.withLock { $0.questions.append(Question(host: host, port: port, answer: answer)) }
        _ = eventfd_write(self.bell, 1)
    }

    private func run() {
        while true {
            var ring: eventfd_t = 0
            _ = unsafe eventfd_read(self.bell, &ring)
            let (question, isStopped) = self.state.withLock { ($0.questions.popFirst(), $0.isStopped) }
            guard !isStopped else { return }
            if let question { question.answer(self.lookUp(question.host, question.port)) }
        }
    }

    /// The address that `host` has in digits, without a look-up. A name is a failure.
    public static func literal(_ host: String, port: UInt16) -> Result<[SocketAddress], ResolveError> {
        guard self.isLiteral(host) else { return .failure(ResolveError(host: host, reason: "was not looked up")) }
        return self.addresses(of: host, port: port)
    }

    /// All addresses of a host for stream sockets, in the system's order of preference. Blocks.
    @Sendable
    public static func addresses(of host: String, port: UInt16) -> Result<[SocketAddress], ResolveError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = host.isEmpty ? AI_PASSIVE : AI_ADDRCONFIG
        if Self.isLiteral(host) { unsafe hints.ai_flags = AI_NUMERICHOST }
        var list: UnsafeMutablePointer<addrinfo>?
        // We own the list until freeaddrinfo, and copy each address before that.
        let code = unsafe getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        guard code == 0 else {
            let reason =
                code == EAI_SYSTEM ? SystemError.last("getaddrinfo").reason : unsafe String(cString: gai_strerror(code))
            return .failure(ResolveError(host: host, reason: reason))
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe SocketAddress(current.pointee.ai_addr, current.pointee.ai_addrlen),
                !found.contains(address)
            {
                found.append(address)
            }
            unsafe entry = current.pointee.ai_next
        }
        guard !found.isEmpty else { return .failure(ResolveError(host: host, reason: "no address")) }
        return .success(found)
    }

    /// Whether `host` is an IP address in digits, which needs no look-up.
    public static func isLiteral(_ host: String) -> Bool {
        var storage = in6_addr()
        // inet_pton writes 4 or 16 bytes, and the storage has 16.
        return unsafe inet_pton(AF_INET, host, &storage) == 1 || inet_pton(AF_INET6, host, &storage) == 1
    }
}

/// A host name that could not be resolved.
public struct ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The host name.
    let host: String
    /// Why, in the system's words.
    public let reason: String

    /// `reason` is the end of a sentence, without a full stop.
    public init(host: String, reason: String) {
        self.host = host
        self.reason = reason
    }

    /// `cannot resolve HOST: reason`.
    public var description: String { "cannot resolve \(self.host): \(self.reason)" }
}

extension SocketAddress {
    /// An address in a list of getaddrinfo(3).
    fileprivate init?(_ pointer: UnsafePointer<sockaddr>?, _ length: socklen_t) {
        guard let pointer = unsafe pointer, Int(length) <= MemoryLayout<sockaddr_storage>.size else { return nil }
        var storage = sockaddr_storage()
        // The list has `length` bytes there, and the storage has room for them.
        unsafe memcpy(&storage, pointer, Int(length))
        self.init(storage, length: Int(length))
    }
}
