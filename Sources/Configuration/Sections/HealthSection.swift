/// `health:` of a backend: a check's name, `off`, or a mapping.
enum HealthSection {
    private typealias Check = HealthCheckSettings.Check

    private static let times = Duration.milliseconds(10)...Duration.seconds(86400)
    private static let counts = 1...1000

    /// - Parameter backend: The section that has the key.
    /// - Returns: `nil` where nothing is checked, or the check is missing or wrong, which is reported.
    static func settings(_ backend: MappingReader) -> HealthCheckSettings? {
        let isBridge = backend.has("tcp")
        guard case .mapping? = backend.entry("health")?.value.content else {
            let check = backend.value("health") { text throws(Mistake) -> Switched<Check> in
                text == "off" ? .off : .on(try self.check(text, isBridge: isBridge, others: ["off"]))
            }
            return check?.value.map { HealthCheckSettings(check: $0) }
        }
        guard let mapping = backend.mapping("health", .health) else { return nil }
        mapping.require("check", of: "`health`")
        let check = mapping.value("check") { text throws(Mistake) in
            try self.check(text, isBridge: isBridge, others: [])
        }
        if let check { self.refuseOthers(than: check, mapping) }
        var settings = HealthCheckSettings(check: check ?? .connect)
        self.readTimes(mapping, into: &settings)
        settings.rise = mapping.value("rise", Quantity.count(Self.counts)) ?? settings.rise
        settings.fall = mapping.value("fall", Quantity.count(Self.counts)) ?? settings.fall
        settings.path = mapping.value("path", Word.target)
        settings.host = mapping.value("host", Word.authority)
        settings.subprotocol = mapping.value("subprotocol", Word.subprotocol)
        // An interim status is no answer (RFC 9110 section 15.2).
        settings.status = mapping.value("status", Quantity.count(200...599))
        return check == nil ? nil : settings
    }

    private static func check(_ text: String, isBridge: Bool, others: [String]) throws(Mistake) -> Check {
        let checks: [Check] = isBridge ? [.connect, .http] : Check.allCases
        if let check = Check(rawValue: text) {
            guard checks.contains(check) else { throw .expected("`connect` or `http` for a `tcp` backend", not: text) }
            return check
        }
        throw Word.mistake(text, among: checks.map(\.rawValue) + others)
    }

    /// Reports the keys that the check has no use for.
    private static func refuseOthers(than check: Check, _ mapping: MappingReader) {
        if check == .connect { mapping.refuse(["path", "host"], "is for the checks `websocket` and `http`") }
        if check != .websocket { mapping.refuse(["subprotocol"], "is for the check `websocket`") }
        if check != .http { mapping.refuse(["status"], "is for the check `http`") }
    }

    /// A check is over before the next begins. Where only the interval is written, the timeout is no longer than that.
    private static func readTimes(_ mapping: MappingReader, into settings: inout HealthCheckSettings) {
        let timeout = mapping.value("timeout", Quantity.duration(Self.times))
        settings.interval = mapping.value("interval", Quantity.duration(Self.times)) ?? settings.interval
        settings.timeout = timeout ?? min(settings.timeout, settings.interval)
        if settings.timeout > settings.interval {
            mapping.report(
                "timeout", "must not be longer than `interval`, which is \(Quantity.text(settings.interval))")
        }
    }
}

extension EjectSettings {
    /// - Parameter mapping: The mapping under `eject`.
    init(_ mapping: MappingReader) {
        self.init()
        self.failures = mapping.value("failures", Quantity.count(1...1000)) ?? self.failures
        let times = Duration.milliseconds(10)...Duration.seconds(86400)
        self.duration = mapping.value("for", Quantity.duration(times)) ?? self.duration
    }
}

extension RebalanceSettings {
    /// - Parameter mapping: The mapping under `rebalance`.
    /// - Returns: `nil` where the rate is missing or wrong, which is reported.
    init?(_ mapping: MappingReader) {
        mapping.require("rate", of: "`rebalance`")
        guard let rate = mapping.value("rate", Quantity.rate(Quantity.closes)) else { return nil }
        self.init(rate: rate)
    }
}
