internal import HTTP1

/// `ws://127.0.0.1:3000`, `wss://10.0.0.2:3001/chat`.
public struct WebSocketEndpoint: Equatable, Sendable {
    /// Where to connect: a host and port.
    public var address: Address
    /// `wss://`: TLS, by the backend's `tls` section.
    public var tls: Bool
    /// Host and port as the URL writes them. It is the Host that is sent where `host: endpoint`.
    public var authority: String
    /// The URL's path; `nil` where it has none: the client's path and query are passed on.
    public var path: String?
    /// The share of sessions, relative to the other endpoints.
    public var weight = Keys.webSocketEndpoint.share.weight.default
    /// Used only while no other endpoint is up.
    public var backup = Keys.webSocketEndpoint.share.backup.default

    /// An endpoint with the default weight, and no backup.
    public init(address: Address, tls: Bool, authority: String, path: String?) {
        self.address = address
        self.tls = tls
        self.authority = authority
        self.path = path
    }

    /// The URL, as logs and `explain` show it.
    public var description: String { "\(self.tls ? "wss" : "ws")://\(self.authority)\(self.path ?? "")" }

    /// Reads `ws://127.0.0.1:3000` or `wss://chat.internal/chat`; the port is 80 or 443 where none is written.
    ///
    /// - Throws: A `Mistake` for anything else, and for a query: the client's is passed on.
    init(parsing text: String) throws(Mistake) {
        func refused(_ hint: String? = nil) -> Mistake {
            .expected("a URL such as `ws://127.0.0.1:3000` or `wss://chat.internal/chat`", not: text, hint: hint)
        }
        guard let separator = text.firstRange(of: "://") else {
            throw refused("it must start with `ws://` or `wss://`")
        }
        let scheme = text[..<separator.lowerBound].asciiLowercased
        let tls: Bool
        switch scheme {
        case "ws": tls = false
        case "wss": tls = true
        case "http": throw refused("write `ws://`")
        case "https": throw refused("write `wss://`")
        case "tcp", "tls": throw refused("that is an endpoint of a `tcp` backend")
        default: throw refused("it must start with `ws://` or `wss://`")
        }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest[authority.endIndex...]
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw refused("it has no host") }
        guard !authority.contains("@") else { throw refused("leave the user out") }
        guard !path.contains("?") else { throw refused("leave the query out: the client's is passed on") }
        guard !path.contains("#") else { throw refused("leave the fragment out") }
        if let flaw = NormalPath.flaw(ofSent: path) { throw refused(flaw.hint) }
        let (host, port) = try Address.split(String(authority), for: .connect)
        self.init(
            address: .tcp(host: host, port: port ?? defaultPort(ofScheme: scheme)), tls: tls,
            authority: String(authority),
            path: path.isEmpty ? nil : String(path))
    }
}
