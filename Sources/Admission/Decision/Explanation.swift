public import Configuration
public import Credentials
internal import HTTP1

/// What `gateway explain URL` and `POST /api/explain` say: where a request would go, or why it would be refused.
///
/// `Admission` itself decides, about the head that a client would send.
public struct Explanation: Equatable, Sendable {
    /// Several lines, each ended.
    public let text: String
    /// The request would be served.
    public let isServed: Bool
    /// The status of the answer; `nil`: there is none, or a backend or a file decides it.
    public internal(set) var status: Int?
    /// Why the request would be refused.
    public internal(set) var reason: String?
    /// What helps.
    public internal(set) var cure: String?
    /// The name of the request's route.
    public internal(set) var route: String?
    /// The name of the backend that the request goes to.
    public internal(set) var backend: String?
    /// The endpoints of that, where their state is known.
    public internal(set) var endpoints: [Endpoint] = []
    /// The address of the listener that takes the request; `nil`: none is on its port, and something has to forward it to one.
    public internal(set) var listener: String?
    /// What came last of a request of this route that was let in, if its backend failed.
    public internal(set) var lastRefusal: LastRefusal?

    /// An endpoint as it is at the moment.
    public struct Endpoint: Equatable, Sendable {
        /// As the configuration writes it.
        public var name: String
        /// `up`, `down` or `draining`.
        public var state: String
        /// Why it is in that state, if that is known.
        public var reason: String?
        /// Whether it is checked, or ejected after failures. If neither, `up` says nothing.
        public var isChecked: Bool
        /// Whether an operator's order made it so.
        public var isOrdered: Bool

        /// See the properties.
        public init(
            name: String, state: String, reason: String? = nil, isChecked: Bool = true, isOrdered: Bool = false
        ) {
            self.name = name
            self.state = state
            self.reason = reason
            self.isChecked = isChecked
            self.isOrdered = isOrdered
        }
    }

    /// An answer to a client that was let in, when the backend had failed.
    public struct LastRefusal: Equatable, Sendable {
        /// When (RFC 3339).
        public var at: String
        /// The status of the answer.
        public var status: Int
        /// Why, as in the log.
        public var reason: String

        /// See the properties.
        public init(at: String, status: Int, reason: String) {
            self.at = at
            self.status = status
            self.reason = reason
        }
    }

    /// What the file of a configuration does not say.
    public struct Surroundings {
        /// What credentials are verified with.
        public var files = KeysAndUsers()
        /// Whether passwords are hashed, which takes a moment. Where others may ask, that would help them to guess.
        public var verifiesPasswords = true
        /// Seconds since 1970.
        public var now: Int64 = 0
        /// What a token stands for; `nil`: it is unknown.
        public var address: (_ token: String, _ backend: String, BackendSettings.Tokens) -> Address? = { _, _, _ in nil
        }
        /// The endpoints of a backend; empty where their state is not known.
        public var endpoints: (_ backend: String) -> [Endpoint] = { _ in [] }
        /// What a client of a route got last because the backend failed; `nil`: nothing lately.
        public var lastRefusal: (_ route: String) -> LastRefusal? = { _ in nil }

        /// Nothing is known.
        public init() {}
    }

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
    ///   - known: what the file does not say.
    public static func explain(
        _ configuration: GatewayConfiguration, url: String, method: String = "GET", origin: String? = nil,
        subprotocols: [String] = [], more: [(name: String, value: String)] = [], from peer: Peer = .anyone,
        by known: Surroundings = Surroundings()
    ) -> Explanation {
        let routes = RouteTable(configuration)
        let shown = self.withoutSecrets(url, routes)
        guard let address = RequestedURL(url) else {
            let reason = "not a ws://, wss://, http:// or https:// URL"
            return Explanation(text: "\(shown): \(reason)\n", isServed: false, reason: reason)
        }
        var lines = ExplanationLines(title: shown)
        lines.obstacle = self.listener(configuration, address, peer, &lines)

        let head: RequestHead
        do throws(HeadError) {
            head = try self.head(address, method, origin, subprotocols, more)
        } catch {
            lines.refused(Refusal(error))
            return lines.explanation(isServed: false)
        }
        let hops = Hops(head.fields, self.arrival(peer, address, configuration))
        let forwarded = ForwardedHeaders(hops, host: address.authority)
        if forwarded.isFromTrustedProxy {
            lines.add("client", forwarded.client?.description ?? "unix")
            lines.add("asks for", "\(forwarded.scheme.rawValue)://\(forwarded.place.text)")
        }
        let origin = head.fields.first("Origin")
        let decision = self.judged(Admission.decide(head, hops, routes), by: known, &lines)
        if let index = decision.routeIndex { self.route(routes.routes[index], index, &lines) }
        var isServed = self.isServed(decision, address)
        switch decision {
        case .refused(let refusal):
            let cure = self.cure(refusal, routes, hops, host: forwarded.host.host, origin: origin)
            lines.refused(refusal, cure: cure)
        case .answer(let answer, _, _, _):
            lines.add("location", self.withoutQuery(answer.fields.first("Location") ?? ""))
            lines.answer(self.answer(answer, address), status: answer.status)
        case .pass(let request):
            let route = routes.routes[request.routeIndex]
            self.backend(request.checked, route, configuration, known, &lines)
            self.placement(request.checked, route, configuration, &lines)
            isServed = self.hasEndpoint(request.routeIndex, &lines)
            guard isServed else { break }
            lines.refusedLast(known.lastRefusal(route.name))
            lines.answer("the backend's: the request is passed on", status: nil)
            self.cureOfUnchecked(&lines)
        case .files(let request):
            self.files(request, &lines)
            lines.answer(self.answer(request, address), status: nil)
        case .events(let request):
            self.backend(request.checked, routes.routes[request.routeIndex], configuration, known, &lines)
            lines.add("room", self.room(request.room.name))
            lines.answer("200 OK: the room's messages, as events", status: 200)
        case .publish(let request):
            self.backend(request.checked, routes.routes[request.routeIndex], configuration, known, &lines)
            lines.add("room", self.room(request.room))
            lines.answer("200 OK: its body is published", status: 200)
        case .page(let page, _, _, _, _):
            lines.answer(address.isWebSocket ? "200 OK: not a WebSocket address" : "200 OK", status: 200)
            if address.isWebSocket {
                lines.cure("The route serves the page \(page.rawValue): use http or https.")
            }
        case .upgrade(let admitted):
            let route = routes.routes[admitted.routeIndex]
            lines.add("origin", origin == nil ? "none, as a client that is not a browser" : "allowed")
            self.backend(admitted.request, route, configuration, known, &lines)
            self.placement(admitted.request, route, configuration, &lines)
            if let unknown = self.unknownToken(admitted, route, configuration, known, &lines) {
                lines.refused(unknown)
                return lines.explanation(isServed: false)
            }
            isServed = self.hasEndpoint(admitted.routeIndex, &lines)
            guard isServed else { break }
            lines.add("subprotocol", self.subprotocol(admitted, route, routes.service(of: admitted.routeIndex)))
            lines.refusedLast(known.lastRefusal(route.name))
            lines.answer("101 Switching Protocols", status: 101)
            self.cureOfUnchecked(&lines)
        case .demands: break
        }
        if lines.obstacle == nil, let index = decision.routeIndex {
            let listener = self.listener(of: address, configuration)
            lines.add(
                LimitsExplained(configuration, listener, routes.routes[index], isUpgrade: head.isUpgrade, decision))
        }
        return lines.explanation(isServed: lines.obstacle == nil && isServed)
    }

    /// Adds the refusal of a request where no endpoint of its backend is up, as far as their state is known.
    private static func hasEndpoint(_ routeIndex: Int, _ lines: inout ExplanationLines) -> Bool {
        let endpoints = lines.endpoints
        guard !endpoints.isEmpty, !endpoints.contains(where: { $0.state == "up" }) else { return true }
        let cure =
            endpoints.allSatisfy(\.isOrdered)
            ? "An operator has taken them out: order one `up` under Backends, or by POST /api/endpoints."
            : "Mend what makes the endpoints fail: one is up by itself once it answers."
        lines.refused(.noEndpoint(routeIndex: routeIndex), cure: cure)
        return false
    }

    /// Adds what helps where a dead endpoint would be shown as up.
    private static func cureOfUnchecked(_ lines: inout ExplanationLines) {
        guard lines.endpoints.contains(where: { $0.state == "up" && !$0.isChecked }) else { return }
        lines.cure("Nothing checks the endpoints: set `health` for the backend to know whether they answer.")
    }

    // MARK: - Credentials

    /// What becomes of a decision that depends on a credential.
    private static func judged(
        _ decision: Admission.Decision, by known: Surroundings, _ lines: inout ExplanationLines
    ) -> Admission.Decision {
        let (files, now) = (known.files, known.now)
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
        case .password where !known.verifiesPasswords:
            lines.add("credential", "not verified here: a password; the rest is for one that is right")
            return decision
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
        _ decision: Admission.Decision, _ grant: Grant, _ lines: inout ExplanationLines
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
        _ known: Surroundings, _ lines: inout ExplanationLines
    ) -> Refusal? {
        guard let token = admitted.token, let name = route.action.backend,
            case .tokens(let tokens, _)? = configuration.backends[name]?.kind
        else { return nil }
        guard let address = known.address(token, name, tokens) else {
            return .unknownToken(routeIndex: admitted.routeIndex)
        }
        lines.add("endpoint", address.description)
        return nil
    }

    // MARK: - Parts

    private static func answer(_ answer: Answer, _ url: RequestedURL) -> String {
        let status = [String(answer.status), answer.reason].filter { !$0.isEmpty }.joined(separator: " ")
        return url.isWebSocket ? "\(status): not a WebSocket address" : status
    }

    private static func room(_ name: RoomName) -> String { shown(name.text, keepsSpaces: true) }

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
        _ configuration: GatewayConfiguration, _ url: RequestedURL, _ peer: Peer, _ lines: inout ExplanationLines
    ) -> String? {
        if let listener = self.listener(of: url, configuration) {
            let tls = listener.tls == nil ? "" : " with TLS"
            let header = listener.proxyProtocol ? ", behind a proxy that sends PROXY headers" : ""
            lines.listener = "\(listener.address)"
            lines.add("listener", "\(listener.address)\(tls)\(header)")
            guard (listener.tls != nil) != url.isSecure else { return self.obstacle(to: peer, at: listener) }
            let speaks = listener.tls == nil ? "without TLS: use ws or http" : "with TLS: use wss or https"
            return "\(listener.address) is \(speaks)"
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
        let allowed = listener.allow.map(\.description).joined(separator: ", ")
        return "\(listener.address) closes the connection, because its `allow` is [\(allowed)], without \(address)"
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

    private static func route(_ route: RouteSettings, _ index: Int, _ lines: inout ExplanationLines) {
        let hosts = route.hosts.isEmpty ? "" : " on " + route.hosts.map(\.description).joined(separator: ", ")
        let scheme = route.scheme.map { ", by \($0.rawValue) only" } ?? ""
        let isNamed = route.name != route.path.description
        lines.route = route.name
        lines.add("route", "\(index + 1): \(isNamed ? "\(route.name), " : "")\(route.path)\(hosts)\(scheme)")
    }

    private static func backend(
        _ request: CheckedRequest, _ route: RouteSettings, _ configuration: GatewayConfiguration,
        _ known: Surroundings, _ lines: inout ExplanationLines
    ) {
        guard let name = route.action.backend, let backend = configuration.backends[name] else { return }
        lines.goes(to: name, known.endpoints(name))
        switch backend.kind {
        case .builtin(.echo): lines.add("backend", "\(name): built-in echo")
        case .builtin(.broadcast): lines.add("backend", "\(name): built-in broadcast")
        case .builtin(.clock(let every)): lines.add("backend", "\(name): built-in clock, every \(every.shown)")
        case .websocket(let endpoints):
            lines.add("backend", "\(name): relay, \(backend.balance)\(self.header(backend))")
            for endpoint in endpoints {
                let target = self.target(request.target.asked(of: endpoint, on: route.path), endpoint)
                lines.add(endpoint: endpoint.description, target + self.share(endpoint.weight, endpoint.backup))
            }
        case .tokens(let tokens, let message):
            let kind = "bridge, \(message.rawValue) messages, by the tokens in \(tokens.path)"
            lines.add("backend", "\(name): \(kind)\(self.header(backend))")
        case .tcp(let endpoints, let message):
            lines.add(
                "backend", "\(name): bridge, \(message.rawValue) messages, \(backend.balance)\(self.header(backend))")
            for endpoint in endpoints {
                lines.add(endpoint: endpoint.description, self.share(endpoint.weight, endpoint.backup))
            }
        }
    }

    /// By what of this request its endpoint is chosen, for a `balance` that looks at requests. Values are not shown: they may be secrets.
    private static func placement(
        _ request: CheckedRequest, _ route: RouteSettings, _ configuration: GatewayConfiguration,
        _ lines: inout ExplanationLines
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
    private static func files(_ request: FileRequest, _ lines: inout ExplanationLines) {
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
}
