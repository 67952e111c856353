/// An entry of `routes:`.
struct RouteSection {
    let mapping: MappingReader
    /// Its `limits`, if they are written.
    let limits: MappingReader?

    init?(_ node: DocumentNode, diagnostics: Diagnostics) {
        guard
            let mapping = MappingReader(node, Keys.route.section, subject: "a route", diagnostics: diagnostics)
        else { return nil }
        self.mapping = mapping
        self.limits = mapping.mapping(Keys.route.limits)
    }

    /// Reports a `name` that an earlier route has.
    func reportTakenName(lines: inout [String: Int]) {
        guard let entry = self.mapping.entry(Keys.route.name), case .scalar(let name) = entry.value.content else {
            return
        }
        if let line = lines[name] {
            self.mapping.report(Keys.route.name, "is taken: the route on line \(line) is `\(name)` already")
        } else {
            lines[name] = entry.position.line
        }
    }

    /// Warns of a route that no request reaches. Call it for each, in their order.
    func warnOfOthers(before route: RouteSettings, _ reach: inout RouteReach) {
        let position = self.mapping.entry(Keys.route.path)?.position ?? self.mapping.position
        guard let reason = reach.add(route, line: position.line) else { return }
        self.mapping.diagnostics.warn(position, reason)
    }

    /// The route; `nil` where its path or action is missing or wrong, which is reported.
    func settings(defaults: SessionRules, backends: BackendsSection) -> RouteSettings? {
        let name = self.mapping.value(Keys.route.name)
        let encodedSlashes = self.mapping.value(Keys.route.encodedSlashes)
        let path = self.path(encodedSlashes)
        let hosts = self.hosts()
        let subprotocols = self.subprotocols()
        let requireSubprotocol = self.mapping.value(Keys.route.requireSubprotocol)
        if requireSubprotocol == true, !self.mapping.has(Keys.route.subprotocols) {
            self.mapping.report(Keys.route.requireSubprotocol, "needs `subprotocols`, the list of those allowed")
        }
        let scheme = self.mapping.value(Keys.route.scheme)
        let headers = HeadersSection.fields(self.mapping, Keys.route.headers, for: .answers)
        let http = self.mapping.value(Keys.route.http)
        let signIn = self.mapping.value(Keys.route.signIn)
        let listenOnly = self.mapping.value(Keys.route.listenOnly)
        let own = SessionRules(
            self.mapping, Keys.route.rules, timeouts: self.mapping.mapping(Keys.route.timeouts), limits: self.limits)
        let scope = self.limits?.changes(to: ScopeLimits.self)
        guard let action = self.action(on: path, scheme: scheme, backends: backends) else { return nil }
        self.reportBesideFiles(http, encodedSlashes)
        if http == .pass, !self.mapping.has(Keys.route.files), !backends.mayTakeRequests(action) {
            self.mapping.report(Keys.route.http, "is `pass` only with a `websocket` backend: leave it out")
        }
        if listenOnly == true, !self.mapping.has(Keys.route.publish), !backends.mayBeRoom(action) {
            self.mapping.report(Keys.route.listenOnly, "is for a `builtin: broadcast` backend: leave it out")
        }
        guard let path else { return nil }
        if backends.lackRoom(action, on: path) {
            self.mapping.report(Keys.route.path, "names no room: write one, such as `/lobby`, or `/*` for many")
        }
        if backends.takeTokensFromPath(action) { self.checkTokens(in: path) }

        var route = RouteSettings(
            name: name ?? (hosts.first?.description ?? "") + path.description, path: path, action: action)
        route.encodedSlashes = encodedSlashes ?? route.encodedSlashes
        route.hosts = hosts
        route.scheme = scheme
        route.headers = headers
        route.http = http ?? route.http
        route.subprotocols = subprotocols
        route.requireSubprotocol = requireSubprotocol ?? route.requireSubprotocol
        defaults.apply(to: &route)
        backends.rules(for: action).apply(to: &route)
        own.apply(to: &route)
        scope?.apply(to: &route.scope)
        route.signIn = signIn?.description
        route.listenOnly = listenOnly ?? route.listenOnly
        self.refuseSignIn(route)
        self.refuseOpenPublishing(route)
        self.refuseLost(backends.choosingParameter(action), route)
        route.limitsMessagesItself = self.limitsMessages
        return route
    }

    private func path(_ encodedSlashes: PathPattern.EncodedSlashes?) -> PathPattern? {
        let key = Keys.route.encodedSlashes
        // A wrong word is reported once, and not again as a mistake in the path.
        let encodedSlashes = encodedSlashes ?? (self.mapping.has(key) ? .keep : key.default)
        return self.mapping.value(Keys.route.path) { text throws(Mistake) in
            try PathPattern(parsing: text, encodedSlashes: encodedSlashes)
        }
    }

    /// Reports a route of which no request can have a token in their path, or have it where a file's name would be shown.
    private func checkTokens(in path: PathPattern) {
        let keys = Keys.route
        if case .exact = path {
            self.mapping.report(
                keys.path, "must end in `/*`: its backend has `token: path`, and what the `*` matches is the token")
        }
        self.mapping.report(
            keys.files, "cannot stand beside a backend with `token: path`: give the files a route of their own")
    }

    private func hosts() -> [HostPattern] {
        // An empty list must not open the route to every host.
        let key = Keys.route.hosts
        guard let nodes = self.mapping.filledNodes(key, hint: "leave it out for any host") else { return [] }
        return self.mapping.values(of: nodes, in: key, key.type.read)
    }

    private func subprotocols() -> [String]? {
        let key = Keys.route.subprotocols
        guard let nodes = self.mapping.filledNodes(key, hint: "leave it out to let the backend pick") else {
            return nil
        }
        var seen: Set<String> = []
        return self.mapping.values(of: nodes, in: key) { text throws(Mistake) in
            let name = try key.type.read(text)
            guard seen.insert(name).inserted else { throw Mistake("is a duplicate: `\(name)`") }
            return name
        }
    }

    /// Whether this route itself limits messages.
    private var limitsMessages: Bool {
        guard case .mapping(let entries)? = self.mapping.entry(Keys.route.limits)?.value.content else {
            return false
        }
        let names = [Keys.limits.message.name, Keys.limits.backendMessage.name]
        return entries.contains { names.contains($0.key) }
    }
}
