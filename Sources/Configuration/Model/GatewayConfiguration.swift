/// A whole `gateway.conf`, checked and typed. Every default is already filled in.
package struct GatewayConfiguration: Equatable, Sendable {
    /// The number of threads that relay sessions; `nil` (`auto`): one for each core that the process may use.
    package var workers = Keys.gateway.workers.default
    /// The most memory for what is queued and assembled in all sessions together; `nil` (`auto`): a quarter of what there is.
    package var memory = Keys.gateway.memory.default
    package var names = NameSettings()
    package var log = LogSettings()
    /// The address of metrics, sessions and control commands; `nil`: there is none.
    package var admin: AdminSettings?
    package var drain = DrainSettings()
    /// The proxies that are believed when they send `X-Forwarded-*` fields.
    package var trustedProxies = TrustedProxies()
    package var listeners: [ListenerSettings] = []
    /// In the order of the file: the first match wins.
    package var routes: [RouteSettings] = []
    /// By name. Every `RouteSettings.Action.backend` names one of these.
    package var backends: [String: BackendSettings] = [:]
    /// What is allowed but probably not meant, in the order of the file.
    package var warnings: [Diagnostic] = []

    package init() {}
}

/// `names:` how host names of endpoints are looked up.
package struct NameSettings: Equatable, Sendable, KeyedSettings {
    /// The time from one look-up of a name to the next. A name that failed is looked up sooner.
    package var refresh = Keys.names.refresh.default

    package init() {}

    static let fields = [Field(Keys.names.refresh, \Self.refresh)]
}

/// `log:` what is logged, in which format and where.
package struct LogSettings: Equatable, Sendable, KeyedSettings {
    package var format = Keys.log.format.default
    package var level = Keys.log.level.default
    /// A file to append to; `nil`: standard error.
    package var file: String?

    package init() {}

    static let fields = [
        Field(Keys.log.format, \Self.format), Field(Keys.log.level, \.level), Field(Keys.log.file, \.file),
    ]
}

/// `admin:` the address of metrics, sessions and control commands.
package struct AdminSettings: Equatable, Sendable {
    package var address: Address
    /// The names it answers to besides IP literals and `localhost`: a web page cannot reach it by a name of its own (DNS rebinding).
    /// Lower case.
    package var hosts: [String] = []
    /// Which users may connect to a Unix socket with a file; `nil`: its owner alone. Always `nil` for other addresses.
    package var access: FileAccessSettings?

    package init(address: Address) {
        self.address = address
    }
}

/// `drain:` how the closing of many sessions is spread over time.
package struct DrainSettings: Equatable, Sendable, KeyedSettings {
    /// How long `/readyz` says 503 while connections are still accepted, before a drain of the process begins.
    package var delay = Keys.drain.delay.default
    /// The time over which the sessions are closed.
    package var over = Keys.drain.over.default
    /// The most closes per second, even if that takes longer than `over`; `nil`: no limit.
    package var rate = Keys.drain.rate.default

    package init() {}

    static let fields = [
        Field(Keys.drain.delay, \Self.delay), Field(Keys.drain.over, \.over), Field(Keys.drain.rate, \.rate),
    ]
}
