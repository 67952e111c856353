internal import HTTP1

/// A gateway with one listener, one route and one backend, as `gateway bridge` takes it from its command line.
public struct BridgeConfiguration: Equatable, Sendable {
    /// `6080`, `:6080`, `127.0.0.1:6080`, `unix:/run/x.sock`, `ws://…` or `wss://…`.
    public var listen: String
    /// `localhost:5900`, `tcp://…`, `tls://…`, `unix:/path`, `ws://…`, `wss://…` or `ws+unix:/path`; `nil` where
    /// `tokens` say it.
    public var target: String?
    /// A file or folder of tokens, one of which each request has in its query as `token`; `nil`: there is a target.
    public var tokens: String?
    /// A path pattern; `nil`: every path.
    public var path: String?
    /// Empty: the gateway's own; `any` alone: all.
    public var origins: [String] = []
    /// Empty: the first that the client offers, or the one that a WebSocket target picks.
    public var subprotocols: [String] = []
    /// The kind of message that the bytes of a TCP target become; `nil`: binary.
    public var message: BridgeMessage?
    /// A PEM file. `certificate` and `key` are both set, or neither.
    public var certificate: String?
    /// A PEM file with the private key of `certificate`.
    public var key: String?
    /// A folder with the files that are served to what asks for no session; `nil`: none.
    public var web: String?

    /// A bridge without options. Nothing is checked yet.
    public init(listen: String, target: String? = nil) {
        self.listen = listen
        self.target = target
    }

    /// A mistake in the command line.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// The argument that is wrong: `LISTEN`, `--origin`.
        public var argument: String
        var mistake: Mistake

        /// The argument and what is wrong with it: `TARGET must be …`.
        public var description: String { "\(self.argument) \(self.mistake.problem)" }
    }

    /// The configuration that a file could say the same with.
    public func gatewayConfiguration() throws(Failure) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.listeners = [try self.listener()]
        let backend = BackendSettings(name: "target", kind: try self.kind())
        configuration.backends = [backend.name: backend]
        var pages: RouteSettings?
        let path = try Self.reading("--path") { () throws(Mistake) in try PathPattern(parsing: self.path ?? "/*") }
        var action = RouteSettings.Action.backend(backend.name)
        if let web = self.web {
            let files = FilesSettings(try Self.reading("--web") { () throws(Mistake) in try Word.path(web) })
            if path == .subtree("/") {
                action = .files(files, backend: backend.name)
            } else {
                pages = RouteSettings(name: "/*", path: .subtree("/"), action: .files(files, backend: nil))
            }
        }
        var route = RouteSettings(name: path.description, path: path, action: action)
        route.origins = try Self.reading("--origin", self.originPolicy)
        route.subprotocols = try Self.reading("--subprotocol", self.allowedSubprotocols)
        configuration.routes = [route] + [pages].compactMap { $0 }
        return configuration
    }

    /// What may surprise: that every machine can reach the gateway, or that no web page may open a session. `nil`: nothing.
    public static func hint(for configuration: GatewayConfiguration) -> String? {
        var hints: [String] = []
        if configuration.listeners.contains(where: \.address.isEveryLocalAddress) {
            hints.append("listens on every address of this machine")
        }
        let hasPages = configuration.routes.contains { if case .files = $0.action { true } else { false } }
        if !hasPages, configuration.routes.contains(where: { $0.origins == .sameOrigin }) {
            hints.append("no page is served here, and pages from elsewhere need --origin ORIGIN, or --origin any")
        }
        return hints.isEmpty ? nil : hints.joined(separator: "; ")
    }

    // MARK: - LISTEN

    private func listener() throws(Failure) -> ListenerSettings {
        guard (self.certificate == nil) == (self.key == nil) else {
            throw self.certificate == nil
                ? Failure(argument: "--key", mistake: Mistake("needs --cert, the certificate it belongs to"))
                : Failure(argument: "--cert", mistake: Mistake("needs --key, its private key"))
        }
        return try Self.reading("LISTEN") { () throws(Mistake) in
            let (scheme, address) = try self.listenAddress()
            switch scheme {
            case .ws where self.certificate != nil:
                throw .expected("a `wss://` URL where --cert is given", not: self.listen)
            case .none where self.certificate == nil, .ws:
                return ListenerSettings(address: address)
            case .none, .wss:
                return ListenerSettings(
                    address: address, tls: ListenerSettings.TLS(identity: self.identity(of: address)))
            }
        }
    }

    private enum Scheme: String {
        case ws
        case wss
    }

    private func listenAddress() throws(Mistake) -> (Scheme?, Address) {
        guard let separator = self.listen.firstRange(of: "://") else {
            let isPort =
                !self.listen.isEmpty && self.listen.utf8.allSatisfy(\.isDigit)
            return (nil, try Address(parsing: isPort ? ":\(self.listen)" : self.listen, for: .listen))
        }
        let scheme: Scheme
        switch self.listen[..<separator.lowerBound].asciiLowercased {
        case "ws": scheme = .ws
        case "wss": scheme = .wss
        default: throw .expected("a port, an address, or a `ws://` or `wss://` URL", not: self.listen)
        }
        let rest = self.listen[separator.upperBound...]
        let authority = String(rest.hasSuffix("/") ? rest.dropLast() : rest)
        guard !authority.contains("/") || authority.hasPrefix("unix:") else {
            throw .expected("an address without a path", not: self.listen, hint: "--path takes it")
        }
        if authority.hasPrefix("unix:") { return (scheme, try Address(parsing: authority, for: .listen)) }
        let (host, port) = try Address.split(authority, for: .listen)
        guard !host.isEmpty || port != nil else { throw .expected("an address", not: self.listen) }
        return (scheme, .tcp(host: host, port: port ?? defaultPort(ofScheme: scheme.rawValue)))
    }

    /// The given certificate, or one for the names by which this machine reaches itself.
    private func identity(of address: Address) -> ListenerSettings.TLS.Identity {
        if let certificate = self.certificate, let key = self.key {
            return .files([CertificateFiles(chain: certificate, key: key)])
        }
        var names = ["localhost", "127.0.0.1", "::1"]
        if case .tcp(let host, _) = address, !address.isEveryLocalAddress, !names.contains(host) {
            names.insert(host, at: 0)
        }
        return .selfSigned(names: names)
    }

    // MARK: - TARGET

    private func kind() throws(Failure) -> BackendSettings.Kind {
        if let tokens = self.tokens { return try self.kind(tokens) }
        guard let target = self.target else {
            throw Failure(argument: "TARGET", mistake: Mistake("is missing: name a server, or a folder with --tokens"))
        }
        return try Self.reading("TARGET") { () throws(Mistake) in
            let scheme = target.asciiLowercased
            guard ["ws://", "wss://", "ws+unix:"].contains(where: scheme.hasPrefix) else {
                return .tcp([try TCPEndpoint(parsing: target)], message: self.message ?? .binary)
            }
            guard self.message == nil else {
                throw .expected("a TCP server where --text is given", not: target)
            }
            return .websocket([try WebSocketEndpoint(parsing: target)])
        }
    }

    private func kind(_ tokens: String) throws(Failure) -> BackendSettings.Kind {
        try Self.reading("--tokens") { () throws(Mistake) in
            if let target = self.target { throw Mistake("cannot stand beside the target `\(target)`: leave one out") }
            let place = Keys.backend.token.default
            return .tokens(.init(path: try Word.path(tokens), place: place), message: self.message ?? .binary)
        }
    }

    // MARK: - Options

    private func originPolicy() throws(Mistake) -> OriginPolicy {
        guard self.origins != ["any"] else { return .any }
        guard !self.origins.isEmpty, self.origins != ["same-origin"] else { return .sameOrigin }
        var patterns: [OriginPattern] = []
        for origin in self.origins {
            guard origin != "any", origin != "same-origin" else { throw Mistake("\(origin) must be the only --origin") }
            patterns.append(try OriginPattern(parsing: origin))
        }
        return .list(patterns)
    }

    private func allowedSubprotocols() throws(Mistake) -> [String]? {
        var names: [String] = []
        for name in self.subprotocols {
            names.append(try Word.subprotocol(name))
        }
        return names.isEmpty ? nil : names
    }

    private static func reading<Value>(
        _ argument: String, _ read: () throws(Mistake) -> Value
    ) throws(Failure) -> Value {
        do {
            return try read()
        } catch {
            throw Failure(argument: argument, mistake: error)
        }
    }
}
