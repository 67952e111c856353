/// What `defaults:` and a route have in common, and partly a backend: rules for their sessions, each absent where it was not
/// written.
struct SessionSection {
    var origins: OriginPolicy?
    var requireOrigin: Bool?
    var compression: RouteSettings.Compression?
    var utf8: RouteSettings.UTF8Check?
    var closeCodes: RouteSettings.CloseCodes?
    var timeouts = TimeoutsSection()
    var limits = LimitsSection()
    var heartbeat = HeartbeatSection()

    /// Nothing was written.
    init() {}

    init(_ mapping: MappingReader) {
        self.origins = Self.origins(mapping)
        self.requireOrigin = mapping.value("require-origin", Word.truth)
        self.compression = mapping.value("compression", Word.of(RouteSettings.Compression.self))
        self.utf8 = mapping.value("utf8", Word.of(RouteSettings.UTF8Check.self))
        self.closeCodes = mapping.value("close-codes", Word.of(RouteSettings.CloseCodes.self))
        self.timeouts = mapping.mapping("timeouts", .timeouts).map { TimeoutsSection($0) } ?? TimeoutsSection()
        self.limits = mapping.mapping("limits", .limits).map { LimitsSection($0) } ?? LimitsSection()
        self.heartbeat = HeartbeatSection(mapping)
    }

    /// What a backend says of the sessions that routes lead to it.
    init(backend mapping: MappingReader) {
        self.timeouts =
            mapping.mapping("timeouts", .backendTimeouts).map(TimeoutsSection.init(backend:)) ?? TimeoutsSection()
        self.limits = mapping.mapping("limits", .backendLimits).map(LimitsSection.init(backend:)) ?? LimitsSection()
        self.heartbeat = HeartbeatSection(mapping)
    }

    /// The words that take the place of a list of origins.
    private static let policies = ["same-origin", "any"]

    private static func origins(_ mapping: MappingReader) -> OriginPolicy? {
        let node = mapping.entry("origins")?.value
        guard case .scalar(let word)? = node?.content, node?.isVariable == false || self.policies.contains(word) else {
            let patterns = mapping.values("origins") { text throws(Mistake) in try OriginPattern(parsing: text) }
            return patterns.map { .list($0) }
        }
        return mapping.value("origins") { text throws(Mistake) in
            switch text {
            case "same-origin": return .sameOrigin
            case "any": return .any
            case "*": throw .expected("`same-origin`, `any` or a list", not: text, hint: "did you mean `any`?")
            case let text where text.contains("://"):
                throw .expected("`same-origin`, `any` or a list", not: text, hint: "write `[\(word)]`")
            default: throw Word.mistake(text, among: ["same-origin", "any", "[https://app.example.com]"])
            }
        }
    }
}

/// `timeouts:`, each absent where it was not written.
struct TimeoutsSection {
    var handshake: Duration?
    var connect: Duration?
    var close: Duration?
    var idle: Switched<Duration>?
    var session: Switched<Duration>?

    private static let range = Duration.milliseconds(1)...Duration.seconds(86400)
    /// A session may be meant to last for days.
    private static let lives = Duration.milliseconds(1)...Duration.seconds(30 * 86400)

    init() {}

    init(_ mapping: MappingReader) {
        self.handshake = mapping.value("handshake", Quantity.duration(Self.range))
        self.connect = mapping.value("connect", Quantity.duration(Self.range))
        self.close = mapping.value("close", Quantity.duration(Self.range))
        self.idle = mapping.value("idle", Switched.reader(Quantity.duration(Self.lives)))
        self.session = mapping.value("session", Switched.reader(Quantity.duration(Self.lives)))
    }

    /// `timeouts:` of a backend.
    init(backend mapping: MappingReader) {
        self.connect = mapping.value("connect", Quantity.duration(Self.range))
    }

    /// The timeouts with what was written here in place of what is there.
    func applied(to timeouts: Timeouts) -> Timeouts {
        var timeouts = timeouts
        timeouts.handshake = self.handshake ?? timeouts.handshake
        timeouts.connect = self.connect ?? timeouts.connect
        timeouts.close = self.close ?? timeouts.close
        if let idle = self.idle { timeouts.idle = idle.value }
        if let session = self.session { timeouts.session = session.value }
        return timeouts
    }
}

/// `limits:`, each absent where it was not written.
struct LimitsSection {
    var message: ByteCount?
    var backendMessage: ByteCount?
    var fragments: Int?
    var backendFragments: Int?
    var queue: ByteCount?
    var compression: ByteCount?

    private static let sizes = ByteCount.bytes(0)...ByteCount.bytes(1 << 50)
    private static let counts = 0...1_000_000_000
    private static let queues = ByteCount.kibibytes(4)...ByteCount.mebibytes(1024)

    init() {}

    init(_ mapping: MappingReader) {
        self.message = mapping.value("message", Quantity.size(Self.sizes))
        self.backendMessage = mapping.value("backend-message", Quantity.size(Self.sizes))
        self.fragments = mapping.value("fragments", Quantity.count(Self.counts))
        self.backendFragments = mapping.value("backend-fragments", Quantity.count(Self.counts))
        self.queue = mapping.value("queue", Quantity.size(Self.queues))
        self.compression = mapping.value("compression", Quantity.size(Self.sizes))
    }

    /// `limits:` of a backend.
    init(backend mapping: MappingReader) {
        self.backendMessage = mapping.value("backend-message", Quantity.size(Self.sizes))
        self.backendFragments = mapping.value("backend-fragments", Quantity.count(Self.counts))
    }

    /// The limits with what was written here in place of what is there.
    func applied(to limits: Limits) -> Limits {
        var limits = limits
        limits.message = self.message ?? limits.message
        limits.backendMessage = self.backendMessage ?? limits.backendMessage
        limits.fragments = self.fragments ?? limits.fragments
        limits.backendFragments = self.backendFragments ?? limits.backendFragments
        limits.queue = self.queue ?? limits.queue
        limits.compression = self.compression ?? limits.compression
        return limits
    }
}
