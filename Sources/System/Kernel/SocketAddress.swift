internal import CLinux
internal import Glibc

/// The address of a socket: IPv4 or IPv6 with a port, or the path or name of a Unix socket.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in host byte order: 127.0.0.1 is `0x7F00_0001`.
    case ipv4(UInt32, port: UInt16)
    /// The two halves in host byte order; `scope` is the interface of a link-local address.
    case ipv6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32)
    /// A Unix socket with a file. The path has at most `longestUnixPath` bytes.
    case unix(path: String)
    /// A Unix socket without a file. Its name in the network namespace ends with the socket (unix(7), "abstract"). Every process
    /// in the namespace may take the name or connect to it; `Kernel.peer` tells which one did.
    case abstract(name: String)
    /// The other side of a Unix socket has no name.
    case unnamed

    /// `127.0.0.1`.
    public static func loopback(port: UInt16) -> Self { .ipv4(0x7F00_0001, port: port) }

    /// `nil` for a Unix socket.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port, _): port
        case .unix, .abstract, .unnamed: nil
        }
    }

    /// The same address with another port. A Unix socket has none.
    public func with(port: UInt16) -> Self {
        switch self {
        case .ipv4(let address, _): .ipv4(address, port: port)
        case .ipv6(let high, let low, _, let scope): .ipv6(high: high, low: low, port: port, scope: scope)
        case .unix, .abstract, .unnamed: self
        }
    }

    /// `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, `unix:@name`, `unix`.
    public var description: String {
        switch self {
        case .ipv4, .ipv6: self.numeric
        case .unix(let path): "unix:" + path
        case .abstract(let name): "unix:@" + name
        case .unnamed: "unix"
        }
    }

    /// Whether it is an IPv6 address.
    public var isIPv6: Bool { self.family == AF_INET6 }

    /// As socket(2) takes it.
    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix, .abstract, .unnamed: AF_UNIX
        }
    }

    /// The longest path or name of a Unix socket, in bytes: `sun_path` less the NUL after a path, or before a name.
    static let longestUnixPath = 107
}

// MARK: - The kernel's form

extension SocketAddress {
    /// Calls `body` with the address in the kernel's form. The pointer is valid during the call.
    ///
    /// - Throws: `ENAMETOOLONG` for a Unix socket's path or name that does not fit.
    func withKernelForm<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws(SystemError) -> R {
        // `sockaddr_storage` has size and alignment for each form. They are written field by field through a typed view of it.
        // The pointers do not outlive this function.
        var storage = sockaddr_storage()
        let length: socklen_t
        switch self {
        case .ipv4(let address, let port):
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = address.bigEndian
            length = Self.store(form, in: &storage)
        case .ipv6(let high, let low, let port, let scope):
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            form.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            length = Self.store(form, in: &storage)
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard bytes.count <= Self.longestUnixPath else { throw SystemError("bind or connect", ENAMETOOLONG) }
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
            length = Self.store(form, in: &storage)
        case .abstract(let name):
            let bytes = Array(name.utf8)
            guard bytes.count <= Self.longestUnixPath else { throw SystemError("bind or connect", ENAMETOOLONG) }
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            // A NUL, then the name, which is as long as the address says.
            unsafe withUnsafeMutableBytes(of: &form.sun_path) { path in
                unsafe UnsafeMutableRawBufferPointer(rebasing: path[1...]).copyBytes(from: bytes)
            }
            _ = Self.store(form, in: &storage)
            length = socklen_t(Self.unixPathOffset + 1 + bytes.count)
        case .unnamed:
            storage.ss_family = sa_family_t(AF_UNIX)
            length = socklen_t(MemoryLayout<sa_family_t>.size)
        }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    private static func store<Form>(_ form: Form, in storage: inout sockaddr_storage) -> socklen_t {
        // Every form is a plain C struct no larger than `sockaddr_storage`.
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: form, as: Form.self) }
        return socklen_t(MemoryLayout<Form>.size)
    }

    /// Reads the address that `fill` writes in the kernel's form; `nil` if it returns an error.
    static func read(_ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> Self? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // The kernel writes at most `length` bytes, which is the size of the storage.
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe fill($0, &length) }
        }
        guard result >= 0 else { return nil }
        return Self(storage, length: Int(length))
    }

    /// Where `sun_path` begins.
    private static let unixPathOffset = MemoryLayout<sa_family_t>.size

    /// - Parameter length: how many bytes of `storage` are the address.
    init?(_ storage: sockaddr_storage, length: Int) {
        // The family tells which form the bytes have. Each form is loaded as a copy.
        var storage = storage
        let address: Self? = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            switch Int32(unsafe bytes.load(as: sa_family_t.self)) {
            case AF_INET:
                let form = unsafe bytes.load(as: sockaddr_in.self)
                return .ipv4(UInt32(bigEndian: form.sin_addr.s_addr), port: UInt16(bigEndian: form.sin_port))
            case AF_INET6:
                let form = unsafe bytes.load(as: sockaddr_in6.self)
                let high = unsafe bytes.load(fromByteOffset: 8, as: UInt64.self)
                let low = unsafe bytes.load(fromByteOffset: 16, as: UInt64.self)
                return .ipv6(
                    high: UInt64(bigEndian: high), low: UInt64(bigEndian: low),
                    port: UInt16(bigEndian: form.sin6_port), scope: form.sin6_scope_id)
            case AF_UNIX:
                let end = min(length, Self.unixPathOffset + Self.longestUnixPath + 1)
                guard end > Self.unixPathOffset + 1 else { return .unnamed }
                let path = unsafe bytes[Self.unixPathOffset..<end]
                if unsafe path.first == 0 {
                    return unsafe .abstract(name: String(decoding: path.dropFirst(), as: UTF8.self))
                }
                return unsafe .unix(path: String(decoding: path.prefix { $0 != 0 }, as: UTF8.self))
            default:
                return nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    /// The address as getnameinfo(3) writes it, with the port.
    private var numeric: String {
        let text: String? = unsafe try? self.withKernelForm { address, length in
            var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            // Writes at most the given count, with a NUL.
            let status = unsafe getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
            guard status == 0 else { return "?" }
            return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let host = text ?? "?"
        return host.contains(":") ? "[\(host)]:\(self.port ?? 0)" : "\(host):\(self.port ?? 0)"
    }
}
