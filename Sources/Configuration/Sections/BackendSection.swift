/// An entry of `backends:`.
struct BackendSection {
    /// `nil` where it has a mistake, which is reported.
    let settings: BackendSettings?
    /// What it says of the sessions that routes lead to it.
    let session: SessionSection

    private static let slowStarts = Duration.milliseconds(1)...Duration.seconds(86400)

    init?(_ entry: DocumentEntry, diagnostics: Diagnostics) {
        let subject = "the backend `\(entry.key)`"
        guard let mapping = MappingReader(entry.value, .backend, subject: subject, diagnostics: diagnostics) else {
            return nil
        }
        self.session = SessionSection(backend: mapping)
        let kind = Self.kind(mapping, subject: subject)
        let host = mapping.value("host") { text throws(Mistake) in try HostHeader(parsing: text) }
        let source = mapping.value("source", Self.source)
        let tls = mapping.mapping("tls", .backendTLS).map(EndpointTLS.init) ?? EndpointTLS()
        let balance = mapping.value("balance", Word.of(Balance.self))
        let health = HealthSection.settings(mapping)
        let eject = mapping.mappingOrOff("eject", .eject)?.value.map { EjectSettings($0) }
        let slowStart = mapping.value("slow-start", Switched.reader(Quantity.duration(Self.slowStarts)))
        let rebalance = mapping.mappingOrOff("rebalance", .rebalance)?.value.flatMap { RebalanceSettings($0) }
        if rebalance != nil, balance == .hashAddress || balance == .hashPath {
            let problem = "cannot stand beside a `balance` by hash, which leads every client back to where it was"
            mapping.report("rebalance", problem)
        }
        guard let kind else {
            self.settings = nil
            return
        }
        var settings = BackendSettings(name: entry.key, kind: kind)
        settings.tls = tls
        settings.host = host ?? settings.host
        settings.source = source
        settings.balance = balance ?? settings.balance
        settings.health = health
        settings.eject = eject
        settings.slowStart = slowStart?.value
        settings.rebalance = rebalance
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
            let endpointKeys = [
                "tls", "host", "source", "balance", "health", "eject", "slow-start", "rebalance", "timeouts", "limits",
                "heartbeat",
            ]
            mapping.refuse(endpointKeys, "is for backends with endpoints: `builtin` has none")
            mapping.refuse(["message"], "is for `tcp` backends")
            return self.builtin(mapping).map { .builtin($0) }
        case "websocket":
            mapping.refuse(["every"], "is for `builtin: clock`")
            mapping.refuse(["message"], "is for `tcp` backends")
            return self.websocket(mapping).map { .websocket($0) }
        default:
            mapping.refuse(["every"], "is for `builtin: clock`")
            mapping.refuse(["host", "heartbeat"], "is for `websocket` backends")
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
        let list = EndpointList(
            backend: mapping, key: "websocket", section: .websocketEndpoint, textKey: "url", secureScheme: "wss://")
        return list.endpoints { text throws(Mistake) in try WebSocketEndpoint(parsing: text) }
    }

    private static func tcp(_ mapping: MappingReader) -> [TCPEndpoint]? {
        let list = EndpointList(
            backend: mapping, key: "tcp", section: .tcpEndpoint, textKey: "address", secureScheme: "tls://")
        return list.endpoints { text throws(Mistake) in try TCPEndpoint(parsing: text) }
    }

    // MARK: - Values

    private static func source(_ text: String) throws(Mistake) -> IPAddress {
        guard let address = IPAddress(text) else { throw .expected("an IP address", not: text) }
        return address
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
