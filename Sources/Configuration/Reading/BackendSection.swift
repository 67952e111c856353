internal import HTTP1

/// An entry of `backends:`.
struct BackendSection {
    /// `nil` where it has a mistake, which is reported.
    let settings: BackendSettings?
    /// What it says of the sessions of routes that lead to it.
    let rules: SessionRules
    /// `cookie`, if it is written.
    private let cookie: MappingReader?

    init?(_ entry: DocumentNode.Entry, diagnostics: Diagnostics) {
        let keys = Keys.backend
        guard
            let mapping = MappingReader(
                entry.value, keys.section, subject: "the backend `\(entry.key)`", diagnostics: diagnostics)
        else { return nil }
        self.rules = SessionRules(backend: mapping)
        let kind = Self.kind(mapping)
        let host = mapping.value(keys.host)
        let source = mapping.value(keys.source)
        let sendProxyProtocol = mapping.value(keys.sendProxyProtocol)
        let tls = mapping.mapping(keys.tls).map { BackendTLSSection.changes($0) }
        let balance = mapping.value(keys.balance)
        self.cookie = mapping.mapping(keys.cookie)
        let cookie = self.cookie?.changes(to: BackendSettings.Cookie.self)
        if balance == .cookie { Self.checkCookieName(mapping, entry.key) }
        let isKnown = balance != nil || !mapping.has(keys.balance)
        if isKnown, balance != .cookie, !mapping.has(keys.builtin), !mapping.has(keys.tokens) {
            mapping.report(keys.cookie, "needs `balance: cookie`")
        }
        let slowConsumer = mapping.value(keys.slowConsumer)
        let history = mapping.mappingOrOff(keys.history)?.value?.changes(to: BackendSettings.History.self)
        let health = HealthSection.settings(mapping)
        let eject = mapping.mappingOrOff(keys.eject)?.value?.changes(to: BackendSettings.Eject.self)
        let slowStart = mapping.value(keys.slowStart)
        let rebalance = mapping.mappingOrOff(keys.rebalance)?.value?.value(Keys.rebalance.rate)
        if rebalance != nil, let balance, balance.leadsBack {
            let problem = "cannot stand beside `balance: \(balance)`, which leads every client back to where it was"
            mapping.report(keys.rebalance, problem)
        }
        guard let kind else {
            self.settings = nil
            return
        }
        var settings = BackendSettings(name: entry.key, kind: kind)
        tls?.apply(to: &settings.tls)
        settings.host = host ?? settings.host
        settings.source = source
        settings.sendProxyProtocol = sendProxyProtocol ?? settings.sendProxyProtocol
        settings.balance = balance ?? settings.balance
        cookie?.apply(to: &settings.cookie)
        settings.slowConsumer = slowConsumer ?? settings.slowConsumer
        settings.history = history?.applied(to: BackendSettings.History())
        settings.health = health
        settings.eject = eject?.applied(to: BackendSettings.Eject())
        settings.slowStart = slowStart ?? settings.slowStart
        settings.rebalance = rebalance.map { BackendSettings.Rebalance(rate: $0) }
        self.settings = settings
    }

    // MARK: - Cookie

    /// The name is part of the cookie's, which is a token (RFC 6265 section 4.1.1).
    private static func checkCookieName(_ mapping: MappingReader, _ name: String) {
        guard !name.utf8.allSatisfy(\.isToken) else { return }
        mapping.report(
            Keys.backend.balance,
            "cannot be `cookie` for a backend named `\(name)`: a cookie's name has letters, digits, `-`, `_` and `.`; rename it"
        )
    }

    /// Reports `same-site: none` where no client can come by https: browsers refuse such a cookie (`SameSite=None` has to be `Secure`).
    func refuseCrossSiteCookie() {
        let key = Keys.cookie.sameSite
        guard let cookie = self.cookie,
            case .scalar(SameSite.none.rawValue)? = cookie.entry(key)?.value.content
        else {
            return
        }
        cookie.report(
            key,
            "can be `none` only over https: give a listener `tls`, or name the proxy that speaks it in `trusted-proxies`"
        )
    }

    // MARK: - Kind

    /// Also reports the keys that only other kinds have.
    private static func kind(_ mapping: MappingReader) -> BackendSettings.Kind? {
        let keys = Keys.backend
        let every = "is for `builtin: clock`"
        let message = "is for `tcp` and `tokens` backends"
        let ofRooms: [any KeyRow] = [keys.slowConsumer, keys.history]
        let isForRooms = "is for `builtin: broadcast`"
        let alternative = mapping.alternative()?.name
        if alternative != nil, alternative != keys.tokens.name {
            mapping.report(keys.token, "is for `tokens` backends")
        }
        switch alternative {
        case keys.builtin.name:
            mapping.refuse(
                [
                    keys.tls, keys.host, keys.source, keys.sendProxyProtocol, keys.balance, keys.cookie, keys.health,
                    keys.eject,
                    keys.slowStart,
                    keys.rebalance, keys.timeouts, keys.limits, keys.heartbeat,
                ], "is for backends with endpoints: `builtin` has none")
            mapping.report(keys.message, message)
            let name = mapping.value(keys.builtin)
            if name != nil, name != .clock { mapping.report(keys.every, every) }
            if name != nil, name != .broadcast { mapping.refuse(ofRooms, isForRooms) }
            let interval = mapping.value(keys.every) ?? keys.every.default
            return name.map { .builtin(Self.service($0, every: interval)) }
        case keys.websocket.name:
            mapping.report(keys.every, every)
            mapping.refuse(ofRooms, isForRooms)
            mapping.report(keys.message, message)
            return EndpointList(
                backend: mapping, key: keys.websocket, textKey: Keys.webSocketEndpoint.url,
                share: Keys.webSocketEndpoint.share, secureScheme: "wss://"
            ).endpoints { text throws(Mistake) in try WebSocketEndpoint(parsing: text) }.map { .websocket($0) }
        case keys.tcp.name:
            mapping.report(keys.every, every)
            mapping.refuse(ofRooms, isForRooms)
            let message = self.bridgeMessage(mapping)
            return EndpointList(
                backend: mapping, key: keys.tcp, textKey: Keys.tcpEndpoint.address, share: Keys.tcpEndpoint.share,
                secureScheme: "tls://"
            ).endpoints { text throws(Mistake) in try TCPEndpoint(parsing: text) }.map { .tcp($0, message: message) }
        case keys.tokens.name:
            mapping.report(keys.every, every)
            mapping.refuse(ofRooms, isForRooms)
            let message = self.bridgeMessage(mapping)
            return self.tokens(mapping).map { .tokens($0, message: message) }
        default: return nil
        }
    }

    /// What a bridge sends. Also reports the keys that only relays have.
    private static func bridgeMessage(_ mapping: MappingReader) -> BridgeMessage {
        let keys = Keys.backend
        mapping.refuse([keys.host, keys.heartbeat], "is for `websocket` backends")
        mapping.report(keys.limits, "is for `websocket` backends: a bridge streams, unless its route has limits")
        return mapping.value(keys.message) ?? keys.message.default
    }

    /// Also reports the keys that only backends with endpoints in the file have.
    private static func tokens(_ mapping: MappingReader) -> BackendSettings.Tokens? {
        let keys = Keys.backend
        mapping.refuse(
            [keys.balance, keys.cookie, keys.health, keys.eject, keys.slowStart, keys.rebalance],
            "is for backends that choose among their endpoints: here the token names one")
        mapping.report(keys.tls, "is for backends with endpoints in this file: targets of `tokens` have no TLS")
        let place = mapping.value(keys.token)
        guard let path = mapping.value(keys.tokens), place != nil || !mapping.has(keys.token) else { return nil }
        return BackendSettings.Tokens(path: path, place: place ?? keys.token.default)
    }

    private static func service(_ name: BuiltinName, every: Duration) -> BuiltinService {
        switch name {
        case .echo: .echo
        case .broadcast: .broadcast
        case .clock: .clock(every: every)
        }
    }
}
