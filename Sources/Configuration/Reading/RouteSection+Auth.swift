/// What is allowed of credentials, but probably not meant.
extension RouteSection {
    /// - Parameter route: What this section says, with what it inherits.
    func refuseSignIn(_ route: RouteSettings) {
        // A wrong `auth` has its own report.
        switch self.mapping.entry(Keys.route.rules.auth)?.value.content {
        case nil, .scalar("off")?: break
        case .some: return
        }
        guard route.auth.isEmpty else { return }
        self.mapping.report(Keys.route.signIn, "needs `auth`: without it everyone is let in")
    }

    /// Reports a parameter that would be taken out as a credential before its backend is chosen by it.
    ///
    /// - Parameters:
    ///   - route: What this section says, with what it inherits.
    ///   - parameter: Of the query, the one that chooses its endpoint.
    func refuseLost(_ parameter: String?, _ route: RouteSettings) {
        guard let parameter, route.auth.contains(where: { $0.places.contains("query:\(parameter)") }) else { return }
        self.mapping.report(
            Keys.route.backend,
            "finds its endpoint by `query:\(parameter)`, which `auth` takes out as a credential: give one of them another name"
        )
    }

    /// - Parameters:
    ///   - route: What this section says, with what it inherits.
    ///   - listeners: All of them.
    func warnOfExposure(_ route: RouteSettings, on listeners: [ListenerSettings]) {
        self.warnOfForeignPages(route)
        self.warnOfPlainPasswords(route, on: listeners)
        self.warnOfNoCertificates(route, on: listeners)
    }

    /// A page of another site can open a session with the credential of its visitor, which the browser adds.
    private func warnOfForeignPages(_ route: RouteSettings) {
        guard route.origins == .any, route.action.backend != nil, route.auth.contains(where: \.isAmbient) else {
            return
        }
        self.warn(
            [Keys.route.rules.origins, Keys.route.rules.auth],
            "`origins: any` lets every page use the credential of its visitor, which browsers add by themselves: list the origins"
        )
    }

    private func warnOfPlainPasswords(_ route: RouteSettings, on listeners: [ListenerSettings]) {
        let hasPasswords = route.auth.contains { kind in
            if case .basic = kind { true } else { false }
        }
        guard hasPasswords, route.scheme != .https,
            let listener = listeners.first(where: { $0.tls == nil && !$0.address.isOfThisMachine })
        else { return }
        self.warn(
            [Keys.route.rules.auth],
            "passwords for route `\(route.name)` are readable on the way to listener `\(listener.address)`, which has no `tls`: add it, or `scheme: https`"
        )
    }

    /// Only a listener with `client-ca` asks clients for certificates.
    private func warnOfNoCertificates(_ route: RouteSettings, on listeners: [ListenerSettings]) {
        let wantsCertificates = route.auth.contains { kind in
            if case .certificate = kind { true } else { false }
        }
        guard wantsCertificates, !listeners.contains(where: { $0.tls?.clientCA != nil }) else { return }
        self.warn(
            [Keys.route.rules.auth],
            "no client can show a certificate for route `\(route.name)`: give a listener `tls` with `client-ca`")
    }

    /// - Parameter rows: The first that is written is the place; else the route is.
    private func warn(_ rows: [any KeyRow], _ message: String) {
        let position = rows.lazy.compactMap { self.mapping.entry($0)?.position }.first
        self.mapping.diagnostics.warn(position ?? self.mapping.position, message)
    }
}
