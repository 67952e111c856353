/// What a route leads to: a backend, a page, a redirect, a fixed answer or files.
extension RouteSection {
    /// The one that is written; `nil` where none is, or it is wrong, which is reported.
    ///
    /// - Parameters:
    ///   - path: The route's own; `nil`: it is wrong, which is reported.
    ///   - scheme: The route's own.
    func action(on path: PathPattern?, scheme: ClientScheme?, backends: BackendsSection) -> RouteSettings.Action? {
        let keys = Keys.route
        switch self.mapping.alternative()?.name {
        case keys.backend.name:
            let backend = self.mapping.value(keys.backend, backends.name)
            guard self.mapping.has(keys.files) else { return backend.map { .backend($0) } }
            let files = FilesSection.settings(self.mapping, on: path)
            guard let files, let backend else { return nil }
            return .files(files, backend: backend)
        case keys.files.name:
            self.refuseRulesOfSessions(kind: "files")
            return FilesSection.settings(self.mapping, on: path).map { .files($0, backend: nil) }
        case keys.publish.name:
            self.refuseOthersThanPublishing(on: path)
            return self.mapping.value(keys.publish, backends.roomsName).map { .publish($0) }
        case keys.page.name:
            self.refuseRulesOfSessions(kind: "page")
            return self.mapping.value(keys.page).map { .page($0) }
        case keys.redirect.name:
            self.refuseRulesOfSessions(kind: "redirect")
            self.mapping.refuse(
                [keys.rules.auth, keys.signIn],
                "has no effect on a redirect route, which asks for no credential: remove it")
            return self.redirect(scheme: scheme).map { .redirect($0) }
        case keys.answer.name:
            self.refuseRulesOfSessions(kind: "answer")
            return self.answer().map { .answer($0) }
        default: return nil
        }
    }

    private func refuseRulesOfSessions(kind: String) {
        let rules = Keys.route.rules
        let problem = "has no effect on \(kind == "answer" ? "an" : "a") \(kind) route: remove it"
        self.mapping.refuse(
            [
                rules.origins, rules.requireOrigin, Keys.route.subprotocols, Keys.route.requireSubprotocol,
                rules.compression, rules.utf8, rules.closeCodes, rules.heartbeat,
            ], problem)
        let ofRequests = [Keys.limits.scope.handshakesPerAddress.name, Keys.limits.scope.requestsPerAddress.name]
        self.limits?.refuse(Keys.limits.section.rows.filter { !ofRequests.contains($0.name) }, problem)
    }

    // MARK: - Publish

    private func refuseOthersThanPublishing(on path: PathPattern?) {
        let (keys, rules) = (Keys.route, Keys.route.rules)
        if case .exact? = path {
            self.mapping.report(keys.path, "must end in `/*` for `publish`: what the `*` matches is the room")
        }
        let problem = "has no effect on a publish route: remove it"
        self.mapping.refuse(
            [
                keys.subprotocols, keys.requireSubprotocol, keys.listenOnly, keys.signIn, rules.compression, rules.utf8,
                rules.closeCodes, rules.heartbeat,
            ], problem)
        let ofRequests = [
            Keys.limits.message.name, Keys.limits.scope.handshakesPerAddress.name,
            Keys.limits.scope.requestsPerAddress.name,
        ]
        self.limits?.refuse(Keys.limits.section.rows.filter { !ofRequests.contains($0.name) }, problem)
    }

    /// Reports a route by which everyone could publish.
    ///
    /// - Parameter route: What this section says, with what it inherits.
    func refuseOpenPublishing(_ route: RouteSettings) {
        guard case .publish = route.action, route.auth.isEmpty, route.allow.isEmpty else { return }
        // A wrong `auth` or `allow` has its own report.
        for key in [Keys.route.rules.auth as any KeyRow, Keys.route.rules.allow] {
            switch self.mapping.entry(key)?.value.content {
            case nil, .scalar("off")?: break
            case .list(let nodes)? where nodes.isEmpty: break
            case .some: return
            }
        }
        self.mapping.report(Keys.route.publish, "needs `auth` or `allow`: without them everyone could publish")
    }

    // MARK: - Redirect

    /// - Parameter scheme: The route's own: `redirect: https` is for clients that came by `http`.
    private func redirect(scheme: ClientScheme?) -> RedirectSettings? {
        guard let settings = self.writtenRedirect() else { return nil }
        if settings.target == .https {
            let key = Keys.route.redirect
            switch scheme {
            case .http: break
            case .https: self.mapping.report(key, "sends clients to the URL that they asked for: write `scheme: http`")
            case nil:
                self.mapping.diagnostics.warn(
                    self.mapping.entry(key)?.position,
                    "`\(key.name)` sends clients that came by https to the URL that they asked for: add `scheme: http`")
            }
        }
        return settings
    }

    /// Its target alone, or a mapping.
    private func writtenRedirect() -> RedirectSettings? {
        let (key, keys) = (Keys.route.redirect, Keys.redirect)
        guard case .mapping? = self.mapping.entry(key)?.value.content else {
            return self.mapping.value(key, keys.to.type.read).map { RedirectSettings(to: $0) }
        }
        guard let mapping = self.mapping.mapping(key) else { return nil }
        let status = mapping.value(keys.status)
        guard var settings = mapping.value(keys.to).map({ RedirectSettings(to: $0) }) else { return nil }
        settings.status = status ?? settings.status
        return settings
    }

    // MARK: - Answer

    private func answer() -> AnswerSettings? {
        guard let mapping = self.mapping.mapping(Keys.route.answer) else { return nil }
        let settings = mapping.changes(to: AnswerSettings.self).applied(to: AnswerSettings())
        if !settings.hasBody {
            mapping.report(Keys.answer.text, "cannot be sent: an answer with \(settings.status) has no body")
        }
        return settings
    }
}
