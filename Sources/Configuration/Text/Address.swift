internal import HTTP1

/// Where to listen or connect: a host name or IP literal with a port, or the path or the name of a Unix socket.
public enum Address: Hashable, Sendable, CustomStringConvertible {
    /// The host is in lower case, without brackets and trailing dot. An IP literal is as `IPAddress.description` writes it.
    /// An empty host stands for every local address.
    case tcp(host: String, port: UInt16)
    /// A Unix socket with a file. The path has at most 107 bytes.
    case unix(path: String)
    /// A Unix socket without a file (unix(7), "abstract"). Linux forgets the name when the socket is closed.
    case abstract(name: String)

    /// Whether listening on it means to listen on every address of the machine.
    var isEveryLocalAddress: Bool {
        if case .tcp(let host, _) = self { ["", "0.0.0.0", "::"].contains(host) } else { false }
    }

    /// Whether nothing but programs of this machine can connect to it.
    public var isOfThisMachine: Bool {
        guard case .tcp(let host, _) = self else { return true }
        guard let address = IPAddress(host) else { return host == "localhost" }
        return address.isIPv4 ? address.low >> 24 & 0xFF == 127 : address == IPAddress(high: 0, low: 1)
    }

    /// `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, `unix:@name`.
    public var description: String {
        switch self {
        case .tcp(let host, let port): "\(HostName.bracketed(host)):\(port)"
        case .unix(let path): "unix:\(path)"
        case .abstract(let name): "unix:@\(name)"
        }
    }

    /// What an address is for. It decides which parts may be left open.
    public enum Use: Sendable {
        /// The host may be empty (every local address), the port 0 (any free one).
        case listen
        /// Host and port must be there, and the port not 0.
        case connect
    }

    /// The longest path of a Unix socket: `sockaddr_un` has 108 bytes with the closing zero. A name has a zero in front.
    private static let longestUnixPath = 107

    /// Reads `127.0.0.1:80`, `[::1]:80`, `localhost:80`, `unix:/run/x.sock`, `unix:@name`, and `:80` to listen on.
    ///
    /// - Throws: A `Mistake` for anything else.
    public init(parsing text: String, for use: Use) throws(Mistake) {
        if text.hasPrefix("unix:") {
            let path = try Self.unixPath(text)
            self = path.hasPrefix("@") ? .abstract(name: String(path.dropFirst())) : .unix(path: path)
            return
        }
        guard !text.contains("://") else {
            throw .expected(
                "an address such as \(use.examples)", not: text, hint: "leave `\(text.prefix { $0 != "/" })//` out")
        }
        let (host, port) = try Self.split(text, for: use)
        guard let port else {
            throw .expected("an address such as \(use.examples)", not: text, hint: "it has no port")
        }
        // Written again, it would be a socket.
        guard host != "unix" else {
            throw .expected("an address such as \(use.examples)", not: text, hint: "`unix` cannot be a host here")
        }
        self = .tcp(host: host, port: port)
    }

    /// Host and port of `host:port`, `[::1]:port`, or either without the port.
    static func split(_ text: String, for use: Use) throws(Mistake) -> (host: String, port: UInt16?) {
        var host = text[...]
        var port: Substring?
        if let bracket = text.firstIndex(of: "]") {
            host = text[...bracket]
            let rest = text[text.index(after: bracket)...]
            guard text.hasPrefix("["), rest.isEmpty || rest.hasPrefix(":") else {
                throw .expected("an address such as \(use.examples)", not: text)
            }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard !host.contains(":") else {
                throw .expected(
                    "an address such as \(use.examples)", not: text, hint: "put an IPv6 address in brackets")
            }
        } else if text.utf8.allSatisfy(\.isDigit) {
            let hint =
                use == .listen
                ? "write `127.0.0.1:\(text)` for this machine alone, `:\(text)` for every local address"
                : "write `localhost:\(text)`"
            throw .expected("an address such as \(use.examples)", not: text, hint: hint)
        }
        let number = try port.map { text throws(Mistake) in try Self.port(text, for: use) }
        guard !host.isEmpty else {
            guard use == .listen else {
                throw .expected("an address such as \(use.examples)", not: text, hint: "it has no host")
            }
            return ("", number)
        }
        guard host != "*" else {
            throw .expected(
                "an address such as \(use.examples)", not: text, hint: "leave the host out for every local address")
        }
        return (try HostName.canonical(String(host)), number)
    }

    private static func port(_ text: Substring, for use: Use) throws(Mistake) -> UInt16 {
        let isDecimal = text.utf8.allSatisfy(\.isDigit)
        guard isDecimal, let port = UInt16(text), port > 0 || use == .listen else {
            throw Mistake("must have a port from \(use == .listen ? 0 : 1) to 65535, not `\(text)`")
        }
        return port
    }

    private static func unixPath(_ text: String) throws(Mistake) -> String {
        let path = String(text.dropFirst("unix:".count))
        guard !path.isEmpty, path != "@", !path.hasPrefix("//"), !path.utf8.contains(0) else {
            throw .expected("the path of a socket such as `unix:/run/x.sock`, or a name such as `unix:@x`", not: text)
        }
        let (what, count) = path.hasPrefix("@") ? ("name", path.utf8.count - 1) : ("path", path.utf8.count)
        guard count <= Self.longestUnixPath else {
            throw Mistake("must have a \(what) of at most \(Self.longestUnixPath) bytes, not \(count)")
        }
        return path
    }
}

extension Address.Use {
    fileprivate var examples: String {
        switch self {
        case .listen: "`127.0.0.1:8080`, `\"[::1]:8080\"`, `:8080` or `unix:/run/x.sock`"
        case .connect: "`127.0.0.1:8080`, `\"[::1]:8080\"`, `localhost:8080` or `unix:/run/x.sock`"
        }
    }
}
