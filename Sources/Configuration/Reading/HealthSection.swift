/// `health:` of a backend: a check's name, `off`, or a mapping.
enum HealthSection {
    /// - Parameter backend: The section that has the key.
    /// - Returns: `nil` where nothing is checked, or the check is missing or wrong, which is reported.
    static func settings(_ backend: MappingReader) -> BackendSettings.HealthCheck? {
        let isBridge = backend.has(Keys.backend.tcp)
        guard case .mapping? = backend.entry(Keys.backend.health)?.value.content else {
            let check = backend.value(Keys.backend.health) { text throws(Mistake) -> HealthCheckKind? in
                text == "off" ? nil : try self.check(text, isBridge: isBridge, others: ["off"])
            }
            return (check ?? nil).map { BackendSettings.HealthCheck(check: $0) }
        }
        guard let mapping = backend.mapping(Keys.backend.health) else { return nil }
        let check = mapping.value(Keys.health.check) { text throws(Mistake) in
            try self.check(text, isBridge: isBridge, others: [])
        }
        if let check { self.refuseOthers(than: check, mapping) }
        var settings = BackendSettings.HealthCheck(check: check ?? .connect)
        // Until one is read. One that is refused is not.
        settings.timeout = .zero
        mapping.changes().apply(to: &settings)
        settings.headers = HeadersSection.fields(mapping, Keys.health.headers, for: .checks)
        self.fit(&settings, mapping)
        return check == nil ? nil : settings
    }

    private static func check(_ text: String, isBridge: Bool, others: [String]) throws(Mistake) -> HealthCheckKind {
        let checks: [HealthCheckKind] = isBridge ? [.connect, .http] : HealthCheckKind.allCases
        if let check = HealthCheckKind(rawValue: text) {
            guard checks.contains(check) else { throw .expected("`connect` or `http` for a `tcp` backend", not: text) }
            return check
        }
        throw Word.mistake(text, among: checks.map(\.rawValue) + others)
    }

    /// Reports the keys that have no effect on the check.
    private static func refuseOthers(than check: HealthCheckKind, _ mapping: MappingReader) {
        if check == .connect {
            mapping.refuse(
                [Keys.health.path, Keys.health.host, Keys.health.headers], "is for the checks `websocket` and `http`")
        }
        if check != .websocket { mapping.report(Keys.health.subprotocol, "is for the check `websocket`") }
        if check != .http { mapping.report(Keys.health.status, "is for the check `http`") }
    }

    /// A check is over before the next begins. The default timeout is no longer than the interval.
    private static func fit(_ settings: inout BackendSettings.HealthCheck, _ mapping: MappingReader) {
        if settings.timeout == .zero {
            settings.timeout = min(Keys.health.timeout.default, settings.interval)
        } else if settings.timeout > settings.interval {
            mapping.report(
                Keys.health.timeout,
                "must not be longer than `interval`, which is `\(settings.interval.shown)`")
        }
    }
}
