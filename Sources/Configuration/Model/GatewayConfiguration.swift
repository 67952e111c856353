/// A whole `gateway.conf`, checked and typed. Every default is already filled in.
package struct GatewayConfiguration: Equatable, Sendable {
    /// How many worker threads relay sessions; `nil` (`auto`) is one per core.
    package var workers: Int?
    /// The bound on what is queued and assembled in all sessions together; `nil` (`auto`) is a quarter of what there is.
    package var memory: ByteCount?
    package var names = NameSettings()
    package var log = LogSettings()
    /// Where metrics, sessions and control commands are; `nil`: nowhere.
    package var admin: AdminSettings?
    package var drain = DrainSettings()
    /// Whose `X-Forwarded-*` fields are believed.
    package var trustedProxies = TrustedProxies()
    package var listeners: [ListenerSettings] = []
    /// In the order of the file: the first match wins.
    package var routes: [RouteSettings] = []
    /// By name. Every `RouteSettings.Action.backend` names one of these.
    package var backends: [String: BackendSettings] = [:]
    /// What is allowed and yet hardly meant, in the order of the file.
    package var warnings: [Diagnostic] = []

    package init() {}
}

/// `names:` how host names of endpoints are looked up.
package struct NameSettings: Equatable, Sendable {
    /// How often. A name that failed is looked up sooner.
    package var refresh = Duration.seconds(30)

    package init() {}
}

/// `log:` what is logged, how and where.
package struct LogSettings: Equatable, Sendable {
    package enum Format: String, CaseIterable, Sendable {
        /// Text where the output is a terminal, else JSON.
        case auto
        case text
        case json
    }

    package enum Level: String, CaseIterable, Sendable {
        case debug
        case info
        case warning
        case error
    }

    package var format = Format.auto
    package var level = Level.info
    /// A file to append to; `nil` is standard error.
    package var file: String?

    package init() {}
}

/// `admin:` the address of metrics, sessions and control commands.
package struct AdminSettings: Equatable, Sendable {
    package var address: Address
    /// The names it answers to beside IP literals and `localhost`: what keeps a web page from reaching it by a name of its own
    /// (DNS rebinding). Lower case.
    package var hosts: [String] = []
    /// Who may connect to a Unix socket: the permissions of its file, at most `0o777`. Always `nil` for TCP.
    package var mode: UInt16?
    /// The group of the file, by name or number; `nil`: the gateway's own. Never without a `mode`.
    package var group: String?

    package init(address: Address) {
        self.address = address
    }
}

/// `drain:` how the closing of many sessions is spread.
package struct DrainSettings: Equatable, Sendable {
    /// How long `/readyz` says 503 while connections are still accepted, before a drain of the process begins.
    package var delay = Duration.zero
    /// The time over which the sessions are closed.
    package var over = Duration.seconds(30)
    /// The most closes per second, which wins over `over`; `nil`: no limit.
    package var rate: Double?

    package init() {}
}
