import Configuration
import Testing

/// The table of keys, as far as the types do not prove it.
struct KeysTests {
    @Test func `no section has two rows for a key`() {
        for section in Section.all {
            let names = section.rows.map(\.name)
            #expect(Set(names).count == names.count, "\(section.name)")
        }
    }

    @Test func `no two sections have the same name`() {
        #expect(Set(Section.all.map(\.name)).count == Section.all.count)
    }

    /// A setting without a field would stay at its default, whatever the file says.
    @Test func `each key with one value and a default changes something`() throws {
        let unset = try GatewayConfiguration.reading(Self.file())
        let changed = try Self.values.map {
            (key: $0.key, after: try GatewayConfiguration.reading(Self.file([$0.key: $0.value])))
        }
        for (key, after) in changed { #expect(after != unset, "\(key)") }
        // Those that are missing here are in the tests of their own sections.
        let sections = Section.all.filter { Set(Self.sections).contains($0.name) }
        #expect(sections.count == Self.sections.count)
        for section in sections {
            for row in section.rows where row.defaultText != nil && row.section == nil {
                #expect(Self.values["\(section.name).\(row.name)"] != nil, "\(section.name).\(row.name)")
            }
        }
    }

    private static let sections = [
        "names", "log", "drain", "defaults", "timeouts", "limits", "heartbeat", "health", "eject", "backend-tls",
    ]

    /// For each key another value than the default.
    private static let values = [
        "names.refresh": "7s", "log.format": "text", "log.level": "error",
        "drain.delay": "7s", "drain.over": "7s", "drain.rate": "7",
        "defaults.origins": "any", "defaults.require-origin": "true", "defaults.compression": "off",
        "defaults.utf8": "check",
        "defaults.close-codes": "rfc6455",
        "timeouts.handshake": "7s", "timeouts.connect": "7s", "timeouts.close": "7s", "timeouts.idle": "7s",
        "timeouts.session": "7s",
        "limits.message": "7", "limits.backend-message": "7", "limits.fragments": "7", "limits.backend-fragments": "7",
        "limits.queue": "7KiB", "limits.compression": "7",
        "heartbeat.interval": "7s", "heartbeat.timeout": "7s",
        "health.interval": "7s", "health.timeout": "1s", "health.rise": "7", "health.fall": "7",
        "eject.failures": "7", "eject.for": "7s", "backend-tls.verify": "false",
    ]

    /// A file in which some keys, as `section.key`, have values.
    private static func file(_ values: [String: String] = [:]) -> String {
        func mapping(_ section: String, _ more: String...) -> String {
            let own = values.filter { $0.key.hasPrefix(section + ".") }.map {
                "\($0.key.dropFirst(section.count + 1)): \($0.value)"
            }
            return "{\((own + more).joined(separator: ", "))}"
        }
        let defaults = mapping(
            "defaults", "timeouts: \(mapping("timeouts"))", "limits: \(mapping("limits"))",
            "heartbeat: \(mapping("heartbeat"))")
        let backend = """
            {websocket: ["wss://a"], health: \(mapping("health", "check: websocket")), eject: \(mapping("eject")),
                tls: \(mapping("backend-tls"))}
            """
        return """
            listeners: [{address: ":0"}]
            names: \(mapping("names"))
            log: \(mapping("log"))
            drain: \(mapping("drain"))
            defaults: \(defaults)
            routes: [{path: /, backend: b}]
            backends: {b: \(backend)}
            """
    }
}
