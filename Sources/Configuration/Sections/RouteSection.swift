/// An entry of `routes:`.
struct RouteSection {
    private let mapping: MappingReader

    init?(_ node: DocumentNode, diagnostics: Diagnostics) {
        guard let mapping = MappingReader(node, .route, subject: "a route", diagnostics: diagnostics) else {
            return nil
        }
        self.mapping = mapping
    }

    /// Reports a `name` that an earlier route has.
    func reportTakenName(lines: inout [String: Int]) {
        guard let entry = self.mapping.entry("name"), case .scalar(let name) = entry.value.content else { return }
        if let line = lines[name] {
            self.mapping.report("name", "is taken: the route on line \(line) is `\(name)` already")
        } else {
            lines[name] = entry.position.line
        }
    }

    /// The route; `nil` where its path or action is missing or wrong, which is reported.
    func settings(defaults: SessionSection, backends: BackendsSection) -> RouteSettings? {
        self.mapping.require("path", of: "a route")
        let name = self.mapping.value("name", Word.name)
        let path = self.mapping.value("path") { text throws(Mistake) in try PathPattern(parsing: text) }
        let hosts = self.hosts()
        let subprotocols = self.subprotocols()
        let requireSubprotocol = self.mapping.value("require-subprotocol", Word.truth) ?? false
        if requireSubprotocol, !self.mapping.has("subprotocols") {
            self.mapping.report("require-subprotocol", "needs `subprotocols`, the list of those allowed")
        }
        let own = SessionSection(self.mapping)
        guard let action = self.action(backends: backends), let path else { return nil }

        var route = RouteSettings(
            name: name ?? (hosts.first?.description ?? "") + path.description, path: path, action: action)
        route.hosts = hosts
        route.origins = own.origins ?? defaults.origins ?? route.origins
        route.requireOrigin = own.requireOrigin ?? defaults.requireOrigin ?? false
        route.subprotocols = subprotocols
        route.requireSubprotocol = requireSubprotocol
        route.compression = own.compression ?? defaults.compression ?? route.compression
        route.utf8 = own.utf8 ?? defaults.utf8 ?? route.utf8
        route.closeCodes = own.closeCodes ?? defaults.closeCodes ?? route.closeCodes
        let backend = backends.session(of: action)
        route.timeouts = own.timeouts.applied(
            to: backend.timeouts.applied(to: defaults.timeouts.applied(to: Timeouts())))
        route.limits = own.limits.applied(to: backend.limits.applied(to: defaults.limits.applied(to: Limits())))
        route.heartbeat = own.heartbeat.applied(to: defaults.heartbeat.applied(to: HeartbeatSettings()))
        route.backendHeartbeat = own.heartbeat.applied(
            to: backend.heartbeat.applied(to: defaults.heartbeat.applied(to: HeartbeatSettings())))
        route.limitsMessagesItself = own.limits.message != nil || own.limits.backendMessage != nil
        return route
    }

    private func hosts() -> [HostPattern] {
        guard let nodes = self.mapping.nodes("hosts") else { return [] }
        // A list that came out empty must not open the route to every host.
        guard !nodes.isEmpty else {
            self.mapping.report("hosts", "must not be empty: leave it out for any host")
            return []
        }
        return self.mapping.values("hosts") { text throws(Mistake) in try HostPattern(parsing: text) } ?? []
    }

    private func subprotocols() -> [String]? {
        guard let nodes = self.mapping.nodes("subprotocols") else { return nil }
        guard !nodes.isEmpty else {
            self.mapping.report("subprotocols", "must not be empty: leave it out where the backend picks")
            return nil
        }
        var seen: Set<String> = []
        return self.mapping.values("subprotocols") { text throws(Mistake) in
            let name = try Word.subprotocol(text)
            guard seen.insert(name).inserted else { throw Mistake("stands there twice: `\(name)`") }
            return name
        }
    }

    // MARK: - Action

    private func action(backends: BackendsSection) -> RouteSettings.Action? {
        switch (self.mapping.has("backend"), self.mapping.has("page")) {
        case (false, false):
            self.mapping.diagnostics.report(self.mapping.position, "a route needs `backend` or `page`")
            return nil
        case (true, true):
            self.mapping.report("page", "cannot stand beside `backend`: leave one of them out")
            return nil
        case (true, false):
            return self.mapping.value("backend", backends.name).map { .backend($0) }
        case (false, true):
            self.mapping.refuse(
                [
                    "origins", "require-origin", "subprotocols", "require-subprotocol", "compression", "utf8",
                    "close-codes", "limits", "heartbeat",
                ],
                "is for sessions, which a page has none of")
            return self.mapping.value("page", Word.of(RouteSettings.Page.self)).map { .page($0) }
        }
    }
}
