internal import HTTP1

/// `ws://127.0.0.1:3000`, `wss://10.0.0.2:3001/chat`, `ws://10.0.0.3/base/*`, `ws+unix:/run/app.sock:/chat`.
public struct WebSocketEndpoint: Equatable, Sendable {
    /// What the URL says of the path to ask for.
    public enum Path: Hashable, Sendable {
        /// Nothing: the client's path and query are passed on.
        case client
        /// This one, with the client's query.
        case fixed(String)
        /// What the `*` of the route's path stands for, below this prefix with its closing slash: `/base/*` is `.below("/base/")`.
        case below(String)
    }

    /// Where to connect: a host and port, or a Unix socket.
    public var address: Address
    /// `wss://`: TLS, by the backend's `tls` section.
    public var tls: Bool
    /// Host and port as the URL writes them; `localhost` for a Unix socket. It is the Host that is sent where `host: endpoint`.
    public var authority: String
    /// The path that is asked for.
    public var path: Path
    /// The share of sessions, relative to the other endpoints.
    public var weight = Keys.webSocketEndpoint.share.weight.default
    /// Used only while no other endpoint is up.
    public var backup = Keys.webSocketEndpoint.share.backup.default

    /// An endpoint with the default weight, and no backup.
    public init(address: Address, tls: Bool, authority: String, path: Path) {
        self.address = address
        self.tls = tls
        self.authority = authority
        self.path = path
    }

    /// The URL, as logs and `explain` show it.
    public var description: String {
        let path = self.path.description
        return switch self.address {
        case .tcp: "\(self.tls ? "wss" : "ws")://\(self.authority)\(path)"
        case .unix, .abstract: "ws+\(self.address)\(path.isEmpty ? "" : ":\(path)")"
        }
    }

    /// Reads `ws://127.0.0.1:3000`, `wss://chat.internal/chat` or `ws+unix:/run/app.sock:/chat`; the port is 80 or 443 where none is written.
    ///
    /// - Throws: A `Mistake` for anything else, and for a query: the client's is passed on.
    init(parsing text: String) throws(Mistake) {
        if let colon = text.firstIndex(of: ":"), text[..<colon].asciiLowercased == "ws+unix" {
            try self.init(text, unix: text[text.index(after: colon)...])
        } else {
            try self.init(url: text)
        }
    }

    private init(url text: String) throws(Mistake) {
        guard let separator = text.firstRange(of: "://") else {
            switch text.prefix(while: { $0 != ":" }).asciiLowercased {
            case "unix": throw Self.refused(text, "write `ws+unix:`")
            case "wss+unix": throw Self.refused(text, "write `ws+unix:`, which has no TLS")
            default: throw Self.refused(text, "it must start with `ws://`, `wss://` or `ws+unix:`")
            }
        }
        let scheme = text[..<separator.lowerBound].asciiLowercased
        let tls: Bool
        switch scheme {
        case "ws": tls = false
        case "wss": tls = true
        case "http": throw Self.refused(text, "write `ws://`")
        case "https": throw Self.refused(text, "write `wss://`")
        case "tcp", "tls": throw Self.refused(text, "that is an endpoint of a `tcp` backend")
        default: throw Self.refused(text, "it must start with `ws://`, `wss://` or `ws+unix:`")
        }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw Self.refused(text, "it has no host") }
        guard !authority.contains("@") else { throw Self.refused(text, "leave the user out") }
        let path = try Self.path(rest[authority.endIndex...], of: text)
        let (host, port) = try Address.split(String(authority), for: .connect)
        self.init(
            address: .tcp(host: host, port: port ?? defaultPort(ofScheme: scheme)), tls: tls,
            authority: String(authority), path: path)
    }

    /// - Parameter rest: The path of a socket, or the name of one without a file, and perhaps a `:` and the path to ask for, as Node's `ws`
    ///   writes them.
    private init(_ text: String, unix rest: Substring) throws(Mistake) {
        guard !rest.hasPrefix("//") else { throw Self.refused(text, "write `ws+unix:/run/app.sock`, with one slash") }
        let colon = rest.firstIndex(of: ":")
        let path = colon.map { rest[rest.index(after: $0)...] }
        guard path?.hasPrefix("/") ?? true else {
            throw Self.refused(text, "a path that starts with `/` must follow the second `:`")
        }
        let address = try Address(parsing: "unix:\(rest[..<(colon ?? rest.endIndex)])", for: .connect)
        self.init(address: address, tls: false, authority: "localhost", path: try Self.path(path ?? "", of: text))
    }

    private static func path(_ path: Substring, of text: String) throws(Mistake) -> Path {
        guard !path.contains("?") else { throw self.refused(text, "leave the query out: the client's is passed on") }
        guard !path.contains("#") else { throw self.refused(text, "leave the fragment out") }
        let isBelow = path.hasSuffix("/*")
        let plain = isBelow ? path.dropLast() : path
        guard !plain.contains("*") else { throw self.refused(text, "`*` may only stand at the end, after a `/`") }
        if let flaw = NormalPath.flaw(ofSent: plain) { throw self.refused(text, flaw.hint) }
        if plain.isEmpty { return .client }
        return isBelow ? .below(String(plain)) : .fixed(String(plain))
    }

    private static func refused(_ text: String, _ hint: String) -> Mistake {
        .expected(
            "a URL such as `ws://127.0.0.1:3000`, `wss://chat.internal/chat` or `ws+unix:/run/app.sock`", not: text,
            hint: hint)
    }
}

extension WebSocketEndpoint.Path: CustomStringConvertible {
    /// As the URL writes it; empty where it has none.
    public var description: String {
        switch self {
        case .client: ""
        case .fixed(let path): path
        case .below(let prefix): prefix + "*"
        }
    }

    /// What a health check asks for, unless it is told otherwise.
    public var checked: String {
        switch self {
        case .client: "/"
        case .fixed(let path), .below(let path): path
        }
    }
}
