/// An entry of `backends:`.
struct BackendSection {
    /// `nil` where it has a mistake, which is reported.
    let settings: BackendSettings?
    let timeouts: TimeoutsSection
    let limits: LimitsSection

    init?(_ entry: DocumentEntry, diagnostics: Diagnostics) {
        let subject = "the backend `\(entry.key)`"
        guard let mapping = MappingReader(entry.value, .backend, subject: subject, diagnostics: diagnostics) else {
            return nil
        }
        self.timeouts =
            mapping.mapping("timeouts", .backendTimeouts).map(TimeoutsSection.init(backend:)) ?? TimeoutsSection()
        self.limits = mapping.mapping("limits", .backendLimits).map(LimitsSection.init(backend:)) ?? LimitsSection()
        let kind = Self.kind(mapping, subject: subject)
        let host = mapping.value("host") { text throws(Mistake) in try HostHeader(parsing: text) }
        let source = mapping.value("source", Self.source)
        let tls = mapping.mapping("tls", .backendTLS).map(EndpointTLS.init) ?? EndpointTLS()
        mapping.value("balance", Self.balance)
        guard let kind else {
            self.settings = nil
            return
        }
        var settings = BackendSettings(name: entry.key, kind: kind)
        settings.tls = tls
        settings.host = host ?? settings.host
        settings.source = source
        self.settings = settings
    }

    // MARK: - Kind

    /// The keys that only some kinds have.
    private static func kind(_ mapping: MappingReader, subject: String) -> BackendSettings.Kind? {
        let kinds = ["builtin", "websocket", "tcp"].filter(mapping.has)
        guard let kind = kinds.first, kinds.count == 1 else {
            if let second = kinds.dropFirst().first {
                mapping.report(second, "cannot stand beside `\(kinds[0])`: leave one of them out")
            } else {
                mapping.diagnostics.report(mapping.position, "\(subject) needs `builtin`, `websocket` or `tcp`")
            }
            return nil
        }
        switch kind {
        case "builtin":
            let endpointKeys = ["tls", "host", "source", "balance", "timeouts", "limits"]
            mapping.refuse(endpointKeys, "is for backends with endpoints: `builtin` has none")
            mapping.refuse(["message"], "is for `tcp` backends")
            return self.builtin(mapping).map { .builtin($0) }
        case "websocket":
            mapping.refuse(["every"], "is for `builtin: clock`")
            mapping.refuse(["message"], "is for `tcp` backends")
            return self.websocket(mapping).map { .websocket($0) }
        default:
            mapping.refuse(["every"], "is for `builtin: clock`")
            mapping.refuse(["host"], "is for `websocket` backends")
            mapping.refuse(["limits"], "is for `websocket` backends: a bridge streams, unless its route has limits")
            let message = mapping.value("message", Word.of(BridgeMessage.self))
            return self.tcp(mapping).map { .tcp($0, message: message ?? .binary) }
        }
    }

    private static func builtin(_ mapping: MappingReader) -> BuiltinService? {
        let every = mapping.value("every", Quantity.duration(.milliseconds(1)...Duration.seconds(86400)))
        let service: BuiltinService? = mapping.value("builtin") { text throws(Mistake) in
            switch text {
            case "echo": return .echo
            case "broadcast": return .broadcast
            case "clock": return .clock(every: every ?? .seconds(1))
            default: throw Word.mistake(text, among: ["echo", "broadcast", "clock"])
            }
        }
        switch service {
        case .echo, .broadcast: mapping.refuse(["every"], "is for `builtin: clock`")
        case .clock, nil: break
        }
        return service
    }

    // MARK: - Endpoints

    private static func websocket(_ mapping: MappingReader) -> [WebSocketEndpoint]? {
        let endpoints = self.endpoints(mapping, of: "websocket", .websocketEndpoint, key: "url") {
            text throws(Mistake) in
            try WebSocketEndpoint(parsing: text)
        }
        if let endpoints, !endpoints.isEmpty, !endpoints.contains(where: \.tls) {
            mapping.report("tls", "needs an endpoint that uses TLS: `wss://`")
        }
        return endpoints
    }

    private static func tcp(_ mapping: MappingReader) -> [TCPEndpoint]? {
        let endpoints = self.endpoints(mapping, of: "tcp", .tcpEndpoint, key: "address") { text throws(Mistake) in
            try TCPEndpoint(parsing: text)
        }
        if let endpoints, !endpoints.isEmpty, !endpoints.contains(where: \.tls) {
            mapping.report("tls", "needs an endpoint that uses TLS: `tls://`")
        }
        return endpoints
    }

    /// A list of endpoints, each its text or a mapping that has it under a key.
    private static func endpoints<Endpoint>(
        _ mapping: MappingReader, of list: String, _ section: Section, key: String,
        _ read: (String) throws(Mistake) -> Endpoint
    ) -> [Endpoint]? {
        mapping.filledNodes(list)?.compactMap { node in
            guard case .mapping = node.content else {
                return node.value(subject: "an entry of `\(list)`", diagnostics: mapping.diagnostics, read)
            }
            let endpoint = MappingReader(node, section, subject: "an endpoint", diagnostics: mapping.diagnostics)
            endpoint?.require(key, of: "an endpoint")
            return endpoint?.value(key, read)
        }
    }

    // MARK: - Values

    private static func source(_ text: String) throws(Mistake) -> IPAddress {
        guard let address = IPAddress(text) else { throw .expected("an IP address", not: text) }
        return address
    }

    private static func balance(_ text: String) throws(Mistake) {
        guard text != Balance.roundRobin.rawValue else { return }
        let later = ["least-sessions", "hash-address", "hash-path", "random-two"]
        guard !later.contains(text) else { throw Mistake("of `\(text)` is not yet supported: only `round-robin` is") }
        throw Word.mistake(text, among: [Balance.roundRobin.rawValue] + later)
    }
}

extension EndpointTLS {
    fileprivate init(_ mapping: MappingReader) {
        self.init()
        self.ca = mapping.value("ca", Word.path)
        self.serverName = mapping.value("server-name", HostName.canonical)
        self.verify = mapping.value("verify", Word.truth) ?? true
    }
}
