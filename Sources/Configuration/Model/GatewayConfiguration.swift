/// A whole `gateway.conf`, checked and typed. Every default is already filled in.
public struct GatewayConfiguration: Equatable, Sendable {
    /// The number of threads that relay sessions; `nil` (`auto`): one for each core that the process may use.
    public var workers = Keys.gateway.workers.default
    /// The most memory for what is queued and assembled in all sessions together; `nil` (`auto`): a quarter of what there is.
    public var memory = Keys.gateway.memory.default
    /// The `names` section.
    public var names = Names()
    /// The `log` section.
    public var log = Log()
    /// The address of metrics, sessions and control commands; `nil`: there is none.
    public var admin: Admin?
    /// The `drain` section.
    public var drain = Drain()
    /// The `cluster` section; `nil`: the gateway is alone.
    public var cluster: ClusterSettings?
    /// The proxies that are believed when they send `X-Forwarded-*` fields and PROXY headers.
    public var trustedProxies = TrustedProxies()
    /// The keys of `defaults.limits` that are not inherited: they are of the whole gateway.
    public var scope = ScopeLimits()
    /// In the order of the file. A configuration from a file has at least one.
    public var listeners: [ListenerSettings] = []
    /// In the order of the file: the first match wins.
    public var routes: [RouteSettings] = []
    /// By name. Every `RouteSettings.Action.backend` names one of these.
    public var backends: [String: BackendSettings] = [:]
    /// What is allowed but probably not meant, in the order of the file.
    public var warnings: [Diagnostic] = []

    /// No listener, route or backend; every key is absent.
    public init() {}
}

extension GatewayConfiguration {
    /// `names:` how host names of endpoints are looked up.
    public struct Names: Equatable, Sendable, KeyedSettings {
        /// The time from one look-up of a name to the next. A name that failed is looked up sooner.
        public var refresh = Keys.names.refresh.default

        /// Every key is absent.
        init() {}

        static let fields = [Field(Keys.names.refresh, \Self.refresh)]
    }

    /// `log:` what is logged, in which format and where.
    public struct Log: Equatable, Sendable, KeyedSettings {
        /// `format`: JSON or text.
        public var format = Keys.log.format.default
        /// `level`: less important lines are left out.
        public var level = Keys.log.level.default
        /// A file to append to; `nil`: standard error.
        public var file: String?
        /// Which plain requests have a line.
        public var requests = Keys.log.requests.default

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.log.format, \Self.format), Field(Keys.log.level, \.level), Field(Keys.log.file, \.file),
            Field(Keys.log.requests, \.requests),
        ]
    }

    /// `admin:` the address of metrics, sessions and control commands.
    public struct Admin: Equatable, Sendable {
        /// Where it accepts connections. Port 0 is any free port.
        public var address: Address
        /// The names it answers to besides IP literals and `localhost`: a web page cannot reach it by a name of its own (DNS rebinding).
        /// Lower case.
        public var hosts: [String] = []
        /// Which users may connect to a Unix socket with a file; `nil`: its owner alone. Always `nil` for other addresses.
        public var access: FileAccessSettings?
        /// `read-only`: what changes something is refused.
        public var readOnly = Keys.admin.readOnly.default
        /// `payloads`: what is in messages may be shown.
        public var payloads = Keys.admin.payloads.default
        /// `auth`: the users; `nil`: no password is asked for. Its `send` is empty.
        public var auth: BasicSettings?
        /// `metrics`: whether they ask for a password, too.
        public var metrics = Keys.admin.metrics.default
        /// `tls`; `nil`: plain text.
        public var tls: ListenerSettings.TLS?

        /// An address for which every other key is absent.
        public init(address: Address) {
            self.address = address
        }
    }

    /// `drain:` how the closing of many sessions is spread over time.
    public struct Drain: Equatable, Sendable, KeyedSettings {
        /// How long `/readyz` says 503 while connections are still accepted, before a drain of the process begins.
        public var delay = Keys.drain.delay.default
        /// The time over which the sessions are closed.
        public var over = Keys.drain.over.default
        /// The most closes per second, even if that takes longer than `over`; `nil`: no limit.
        public var rate = Keys.drain.rate.default

        /// Every key is absent.
        public init() {}

        static let fields = [
            Field(Keys.drain.delay, \Self.delay), Field(Keys.drain.over, \.over), Field(Keys.drain.rate, \.rate),
        ]
    }
}
