public import Configuration
public import Credentials
internal import HTTP1

/// What `gateway explain URL` says: where a request would go, or why it would be refused.
///
/// `Admission` itself decides, about the head that a client would send.
public struct Explanation: Equatable, Sendable {
    /// Several lines, each ended.
    public let text: String
    /// The request would be served.
    public let isServed: Bool

    /// Where the request comes from.
    public enum Peer: Equatable, Sendable {
        /// Any address that is not a trusted proxy's.
        case anyone
        /// This address, which may be a trusted proxy's.
        case address(IPAddress)
        /// Over a Unix socket.
        case unix
    }

    /// - Parameters:
    ///   - url: `ws://`, `wss://`, `http://` or `https://`; the last two make a plain request.
    ///   - method: that of the request.
    ///   - origin: the Origin a browser would send; `nil` for a client that is not a browser.
    ///   - subprotocols: those offered, best first.
    ///   - more: further fields of the request, such as those a proxy adds.
    ///   - peer: the other end of the connection.
    ///   - files: what its credential is verified with. A password is hashed, which takes a moment.
    ///   - now: seconds since 1970.
    ///   - address: what a token stands for; `nil`: it is unknown.
    public static func explain(
        _ configuration: GatewayConfiguration, url: String, method: String = "GET", origin: String? = nil,
        subprotocols: [String] = [], more: [(name: String, value: String)] = [], from peer: Peer = .anyone,
        by files: KeysAndUsers = KeysAndUsers(), now: Int64 = 0,
        address tokenAddress: (_ token: String, BackendSettings.Tokens) -> Address? = { _, _ in nil }
    ) -> Explanation {
        let routes = RouteTable(configuration)
        let shown = self.withoutSecrets(url, routes)
        guard let address = RequestedURL(url) else {
            return Explanation(text: "\(shown): not a ws://, wss://, http:// or https:// URL\n", isServed: false)
        }
        var lines = Lines(title: shown)
        let obstacle = self.listener(configuration, address, peer, &lines)

        let head: RequestHead
        do throws(HeadError) {
            head = try self.head(address, method, origin, subprotocols, more)
        } catch {
            lines.add("answer", obstacle ?? self.answer(Refusal(error)))
            return Explanation(text: lines.text, isServed: false)
        }
        let hops = Hops(head.fields, self.arrival(peer, address, configuration))
        let forwarded = ForwardedHeaders(hops, host: address.authority)
        if forwarded.isFromTrustedProxy {
            lines.add("client", forwarded.client?.description ?? "unix")
            lines.add("asks for", "\(forwarded.scheme.rawValue)://\(forwarded.place.text)")
        }
        let origin = head.fields.first("Origin")
        let decision = self.judged(Admission.decide(head, hops, routes), by: files, now: now, &lines)
        switch decision {
        case .refused(let refusal):
            if let index = refusal.routeIndex { self.route(routes.routes[index], index, &lines) }
            lines.add("answer", obstacle ?? self.answer(refusal))
            guard obstacle == nil else { break }
            lines.add("cure", self.cure(refusal, routes, hops, host: forwarded.host.host, origin: origin))
        case .answer(let answer, let index, _, _):
            self.route(routes.routes[index], index, &lines)
            lines.add("location", self.withoutQuery(answer.fields.first("Location") ?? ""))
            lines.add("answer", obstacle ?? self.answer(answer, address))
        case .pass(let request):
            let route = routes.routes[request.routeIndex]
            self.route(route, request.routeIndex, &lines)
            self.backend(request.checked, route, configuration, &lines)
            self.placement(request.checked, route, configuration, &lines)
            lines.add("answer", obstacle ?? "the backend's: the request is passed on")
        case .files(let request):
            let route = routes.routes[request.routeIndex]
            self.route(route, request.routeIndex, &lines)
            self.files(request, &lines)
            lines.add("answer", obstacle ?? self.answer(request, address))
        case .events(let request):
            let route = routes.routes[request.routeIndex]
            self.route(route, request.routeIndex, &lines)
            self.backend(request.checked, route, configuration, &lines)
            lines.add("room", self.room(request.room.name))
            lines.add("answer", obstacle ?? "200 OK: the room's messages, as events")
        case .publish(let request):
            let route = routes.routes[request.routeIndex]
            self.route(route, request.routeIndex, &lines)
            self.backend(request.checked, route, configuration, &lines)
            lines.add("room", self.room(request.room))
            lines.add("answer", obstacle ?? "200 OK: its body is published")
        case .page(let page, let index, _, _, _):
            self.route(routes.routes[index], index, &lines)
            lines.add("answer", obstacle ?? (address.isWebSocket ? "200 OK: not a WebSocket address" : "200 OK"))
            guard obstacle == nil, address.isWebSocket else { break }
            lines.add("cure", "The route serves the page \(page.rawValue): use http or https.")
        case .upgrade(let admitted):
            let route = routes.routes[admitted.routeIndex]
            self.route(route, admitted.routeIndex, &lines)
            lines.add("origin", origin == nil ? "none, as a client that is not a browser" : "allowed")
            self.backend(admitted.request, route, configuration, &lines)
            self.placement(admitted.request, route, configuration, &lines)
            if let unknown = self.unknownToken(admitted, route, configuration, tokenAddress, &lines) {
                lines.add("answer", obstacle ?? self.answer(unknown))
                return Explanation(text: lines.text, isServed: false)
            }
            lines.add("subprotocol", self.subprotocol(admitted, route, routes.service(of: admitted.routeIndex)))
            lines.add("answer", obstacle ?? "101 Switching Protocols")
        case .demands: break
        }
        if obstacle == nil, let index = decision.routeIndex {
            let listener = self.listener(of: address, configuration)
            lines.add(
                LimitsExplained(configuration, listener, routes.routes[index], isUpgrade: head.isUpgrade, decision))
        }
        return Explanation(text: lines.text, isServed: obstacle == nil && self.isServed(decision, address))
    }

    // MARK: - Credentials

    /// What becomes of a decision that depends on a credential.
    private static func judged(
        _ decision: Admission.Decision, by files: KeysAndUsers, now: Int64, _ lines: inout Lines
    ) -> Admission.Decision {
        guard case .demands(let demand, let decision) = decision else { return decision }
        if let (source, url) = demand.credentials.keysFromURL(for: demand.shown), files.keys[source] == nil {
            lines.add("credential", "not verified here: its keys come from \(url.withoutQuery)")
            return decision
        }
        switch demand.credentials.worth(of: demand.shown, certificate: nil, by: files, now: now) {
        case .verdict(.granted(let grant)): return self.granted(decision, grant, &lines)
        case .verdict(.refused(let flaw)): return .refused(demand.refusal(.refused(flaw)))
        case .verdict(.forbidden(let why)): return .refused(demand.refusal(.forbidden(why)))
        case .unverifiable(let why): return .refused(demand.refusal(.unverifiable(why)))
        case .password(let credential, let file, let settings):
            switch PasswordVerdict.of(credential, isRight: file.accepts(credential), settings) {
            case .granted(let grant): return self.granted(decision, grant, &lines)
            case .refused(let flaw): return .refused(demand.refusal(.refused(flaw)))
            case .forbidden(let why): return .refused(demand.refusal(.forbidden(why)))
            }
        case .asked(let settings):
            // It is not asked: this command changes nothing, and the service may.
            let url = settings.url
            let path = url.target.prefix { $0 != "?" }
            let asked = self.withoutQuery(demand.asked)
            lines.add("asks", "\(url.tls ? "https" : "http")://\(url.authority)\(path), about \(asked)")
            lines.add("credential", "as that decides; the rest is for a client that it lets in")
            return decision.granted(HTTPFields())
        }
    }

    private static func granted(
        _ decision: Admission.Decision, _ grant: Grant, _ lines: inout Lines
    ) -> Admission.Decision {
        lines.add("credential", "good" + (grant.subject.map { ", of \(shown($0, keepsSpaces: true))" } ?? ""))
        return decision.granted(grant.fields)
    }

    // MARK: - Tokens

    /// The URL without its query, and without what may be a token in its path.
    private static func withoutSecrets(_ url: String, _ routes: RouteTable) -> String {
        let sent = self.withoutQuery(url)
        guard routes.hasTokens else { return sent }
        guard let address = RequestedURL(url) else { return "the URL" }
        let path = address.target.prefix { $0 != "?" && $0 != "#" }
        let shown = routes.withoutToken(String(path), on: nil)
        guard shown != path else { return sent }
        let scheme = url.prefix { $0 != ":" }
        return "\(scheme)://\(address.authority.text)\(shown)\(sent.hasSuffix("?*") ? "?*" : "")"
    }

    /// The URL with a mark for its query, which may have secrets in it.
    private static func withoutQuery(_ url: String) -> String {
        let rest = url.prefix { $0 != "?" }
        return rest.endIndex == url.endIndex ? url : "\(rest)?*"
    }

    /// Adds the endpoint that the request's token stands for.
    ///
    /// - Returns: the refusal if there is none.
    private static func unknownToken(
        _ admitted: Admitted, _ route: RouteSettings, _ configuration: GatewayConfiguration,
        _ address: (_ token: String, BackendSettings.Tokens) -> Address?, _ lines: inout Lines
    ) -> Refusal? {
        guard let token = admitted.token, let name = route.action.backend,
            case .tokens(let tokens, _)? = configuration.backends[name]?.kind
        else { return nil }
        guard let address = address(token, tokens) else { return .unknownToken(routeIndex: admitted.routeIndex) }
        lines.add("endpoint", address.description)
        return nil
    }

    // MARK: - Parts

    private static func answer(_ answer: Answer, _ url: RequestedURL) -> String {
        let status = [String(answer.status), answer.reason].filter { !$0.isEmpty }.joined(separator: " ")
        return url.isWebSocket ? "\(status): not a WebSocket address" : status
    }

    private static func room(_ name: RoomName) -> String { shown(name.text, keepsSpaces: true) }

    private static func answer(_ refusal: Refusal) -> String {
        "\(refusal.status) \(refusal.answer.reason): \(refusal.detail)"
    }

    private static func isServed(_ decision: Admission.Decision, _ url: RequestedURL) -> Bool {
        switch decision {
        case .upgrade, .pass: true
        case .page, .answer, .files, .events, .publish: !url.isWebSocket
        case .refused, .demands: false
        }
    }

    /// Names the listener of the URL's port.
    ///
    /// - Returns: what is wrong, if that listener has TLS and the URL does not, or the other way round.
    private static func listener(
        _ configuration: GatewayConfiguration, _ url: RequestedURL, _ peer: Peer, _ lines: inout Lines
    ) -> String? {
        if let listener = self.listener(of: url, configuration) {
            let tls = listener.tls == nil ? "" : " with TLS"
            let header = listener.proxyProtocol ? ", behind a proxy that sends PROXY headers" : ""
            lines.add("listener", "\(listener.address)\(tls)\(header)")
            guard (listener.tls != nil) != url.isSecure else { return self.obstacle(to: peer, at: listener) }
            let speaks = listener.tls == nil ? "without TLS: use ws or http" : "with TLS: use wss or https"
            return "none: \(listener.address) is \(speaks)"
        }
        lines.add("listener", "no listener on port \(url.port); the rest assumes that something forwards it to one")
        return nil
    }

    /// The listener on the URL's port, with TLS or without as the URL says, if there is one.
    private static func listener(of url: RequestedURL, _ configuration: GatewayConfiguration) -> ListenerSettings? {
        let onPort = configuration.listeners.filter { listener in
            if case .tcp(_, let port) = listener.address { port == url.port } else { false }
        }
        return onPort.first { ($0.tls != nil) == url.isSecure } ?? onPort.first
    }

    /// What is wrong, if the listener closes the connections of `peer`. Behind a proxy it is the client, which the listener does not look at.
    private static func obstacle(to peer: Peer, at listener: ListenerSettings) -> String? {
        guard case .address(let address) = peer, !listener.proxyProtocol, !listener.allow.allows(address) else {
            return nil
        }
        return "none: \(listener.address) closes the connection, because its `allow` does not have \(address)"
    }

    private static func arrival(
        _ peer: Peer, _ url: RequestedURL, _ configuration: GatewayConfiguration
    ) -> Arrival {
        let trusted = configuration.trustedProxies
        switch peer {
        case .anyone: return Arrival(peer: nil, listenerIsSecure: url.isSecure)
        case .unix: return Arrival(peer: nil, listenerIsSecure: url.isSecure, trustedProxies: trusted)
        case .address(let address):
            return Arrival(peer: address, listenerIsSecure: url.isSecure, trustedProxies: trusted)
        }
    }

    /// The head that a client would send, as a listener reads it.
    private static func head(
        _ url: RequestedURL, _ method: String, _ origin: String?, _ subprotocols: [String],
        _ more: [(name: String, value: String)]
    ) throws(HeadError) -> RequestHead {
        var fields = [(name: "Host", value: url.authority.text)]
        if url.isWebSocket {
            fields += [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
        }
        if let origin { fields.append(("Origin", origin)) }
        if !subprotocols.isEmpty {
            fields.append(("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")))
        }
        fields += more
        let lines = ["\(method) \(url.target) HTTP/1.1"] + fields.map { "\($0.name): \($0.value)" }
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var parser = RequestHeadParser()
        switch parser.parse(bytes.span) {
        case .invalid(let error): throw error
        case .head(let head, bytes.count) where head.fields.count == fields.count: return head
        // A line break in a value began another field, or ended the head.
        case .head, .incomplete: throw HeadError(.malformed, "a line break in a field")
        }
    }

    private static func route(_ route: RouteSettings, _ index: Int, _ lines: inout Lines) {
        let hosts = route.hosts.isEmpty ? "" : " on " + route.hosts.map(\.description).joined(separator: ", ")
        let scheme = route.scheme.map { ", by \($0.rawValue) only" } ?? ""
        let isNamed = route.name != route.path.description
        lines.add("route", "\(index + 1): \(isNamed ? "\(route.name), " : "")\(route.path)\(hosts)\(scheme)")
    }

    private static func backend(
        _ request: CheckedRequest, _ route: RouteSettings, _ configuration: GatewayConfiguration,
        _ lines: inout Lines
    ) {
        guard let name = route.action.backend, let backend = configuration.backends[name] else { return }
        switch backend.kind {
        case .builtin(.echo): lines.add("backend", "\(name): built-in echo")
        case .builtin(.broadcast): lines.add("backend", "\(name): built-in broadcast")
        case .builtin(.clock(let every)): lines.add("backend", "\(name): built-in clock, every \(every.shown)")
        case .websocket(let endpoints):
            lines.add("backend", "\(name): relay, \(backend.balance)\(self.header(backend))")
            for endpoint in endpoints {
                let target = self.target(request.target.asked(of: endpoint, on: route.path), endpoint)
                lines.add("endpoint", endpoint.description + target + self.share(endpoint.weight, endpoint.backup))
            }
        case .tokens(let tokens, let message):
            let kind = "bridge, \(message.rawValue) messages, by the tokens in \(tokens.path)"
            lines.add("backend", "\(name): \(kind)\(self.header(backend))")
        case .tcp(let endpoints, let message):
            lines.add(
                "backend", "\(name): bridge, \(message.rawValue) messages, \(backend.balance)\(self.header(backend))")
            for endpoint in endpoints {
                lines.add("endpoint", endpoint.description + self.share(endpoint.weight, endpoint.backup))
            }
        }
    }

    /// By what of this request its endpoint is chosen, for a `balance` that looks at requests. Values are not shown: they may be secrets.
    private static func placement(
        _ request: CheckedRequest, _ route: RouteSettings, _ configuration: GatewayConfiguration,
        _ lines: inout Lines
    ) {
        guard let name = route.action.backend, let backend = configuration.backends[name] else { return }
        let subject: String
        switch backend.balance {
        case .roundRobin, .leastSessions, .randomTwo, .hashAddress, .hashPath: return
        case .cookie:
            let attributes = EndpointCookie.attributes(backend.cookie.sameSite, isSecure: request.forwarded.isSecure)
            return lines.add("cookie", "\(backend.cookieName)=…\(attributes)")
        case .hashCookie(let name): subject = "the cookie \(name)"
        case .hashHeader(let name): subject = "the field \(name)"
        case .hashQuery(let name): subject = "the query's \(name)"
        }
        let rule = PlacementRule(backend.balance, cookie: nil)
        let placement = rule.placement(request.head.fields, request.target, client: "")
        lines.add(
            "placed", placement == .any ? "round-robin: \(subject) is absent, empty or repeated" : "by \(subject)")
    }

    /// Where a file is looked for. Whether it is there depends on the moment.
    private static func files(_ request: FileRequest, _ lines: inout Lines) {
        switch request.place {
        case .file(let path): lines.add("file", path)
        case .hidden: lines.add("file", "none: it is hidden, or has two slashes in a row")
        case .below(let folder, let name):
            let file = name.isFolder ? name.index : name.bytes
            lines.add("file", "\(shown(String(decoding: file, as: UTF8.self))) below \(folder)")
        }
        guard let fallback = request.fallback else { return }
        lines.add("fallback", shown(String(decoding: fallback.bytes, as: UTF8.self)))
    }

    private static func answer(_ request: FileRequest, _ url: RequestedURL) -> String {
        if request.place == .hidden { return "404 Not Found" }
        let answer = "the file, or \(request.fallback == nil ? "404 Not Found where there is none" : "the fallback")"
        return url.isWebSocket ? "\(answer): not a WebSocket address" : answer
    }

    /// What an endpoint is asked for, where its URL does not say it.
    private static func target(_ target: String, _ endpoint: WebSocketEndpoint) -> String {
        if case .below = endpoint.path { ", asked for \(self.withoutQuery(target))" } else { "" }
    }

    private static func header(_ backend: BackendSettings) -> String {
        backend.sendProxyProtocol.map { ", PROXY header \($0.rawValue)" } ?? ""
    }

    /// What differs from the defaults.
    private static func share(_ weight: Int, _ backup: Bool) -> String {
        (weight == 1 ? "" : ", weight \(weight)") + (backup ? ", backup" : "")
    }

    private static func subprotocol(
        _ admitted: Admitted, _ route: RouteSettings, _ service: RouteTable.Service
    ) -> String {
        guard service == .relay else { return admitted.subprotocol ?? "none" }
        guard !admitted.subprotocols.isEmpty else { return "none" }
        let names = SubprotocolChoice(route).names(among: admitted.offeredSubprotocols)
        let rest = names.count == admitted.subprotocols.count ? "" : "; a credential is passed on"
        return (names.isEmpty ? "none" : "the backend's choice of \(names.joined(separator: ", "))") + rest
    }

    private static func cure(
        _ refusal: Refusal, _ routes: RouteTable, _ hops: Hops, host: String, origin: String?
    ) -> String {
        if let index = refusal.routeIndex, !routes.routes[index].allow.allows(hops.client) {
            return hops.client == nil
                ? "Name the client's address with --address, or what its proxy says with --header." : refusal.cure
        }
        switch refusal.status {
        case 404 where refusal.cure.isEmpty:
            let paths = routes.routes.map { "\($0.path)\($0.hosts.isEmpty ? "" : " on \($0.hosts[0])")" }
            return "Add a route for \(host); there are: \(paths.isEmpty ? "none" : paths.joined(separator: ", "))."
        case 401: return "Show a credential with --token or --header."
        case 403 where origin == nil && !refusal.cure.isEmpty:
            return "Name one with --origin, or set `require-origin: false`."
        default: return refusal.cure
        }
    }

    /// A title and lines of a word and its meaning, in two columns.
    private struct Lines {
        private(set) var text: String

        init(title: String) { self.text = title + "\n" }

        mutating func add(_ limits: LimitsExplained) {
            for line in limits.unless { self.add("unless", line) }
            self.add("rates", limits.rates)
        }

        /// Adds nothing for an empty value.
        mutating func add(_ name: String, _ value: String) {
            guard !value.isEmpty else { return }
            self.text += "  \(name)\(String(repeating: " ", count: max(1, 13 - name.utf8.count)))\(value)\n"
        }
    }
}

/// The parts of the URL to explain.
private struct RequestedURL {
    let isSecure: Bool
    let isWebSocket: Bool
    let authority: Authority
    let port: UInt16
    /// Path and query, as a client sends them.
    let target: String

    init?(_ url: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
        let scheme = url[..<colon].asciiLowercased
        guard ["ws", "wss", "http", "https"].contains(scheme) else { return nil }
        let rest = url[url.index(colon, offsetBy: 3)...].prefix { $0 != "#" }
        let authorityText = rest.prefix { $0 != "/" && $0 != "?" }
        guard let authority = Authority(String(authorityText)) else { return nil }
        let path = rest[authorityText.endIndex...]
        self.isSecure = scheme == "wss" || scheme == "https"
        self.isWebSocket = scheme == "ws" || scheme == "wss"
        self.authority = authority
        self.port = authority.port ?? defaultPort(ofScheme: scheme)
        self.target = path.hasPrefix("/") ? String(path) : "/" + path
    }
}
