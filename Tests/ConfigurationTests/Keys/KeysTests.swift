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

    /// The sections of a file that has most keys, each with its place in `file`.
    private static let sections = [
        "names", "log", "drain", "admin", "listener-timeouts", "listener-limits", "defaults", "default-timeouts",
        "default-limits", "timeouts",
        "limits", "heartbeat", "route", "redirect", "answer", "jwt", "basic", "forward", "health", "eject",
        "backend-tls", "cookie",
    ]

    /// A value that did not reach the settings would leave the default in force, whatever the file says.
    @Test(arguments: sections)
    func `each key with a default changes a setting`(name: String) throws {
        let unset = try GatewayConfiguration.reading(Self.file())
        let section = try #require(Section.all.first { $0.name == name })
        for row in section.rows where row.defaultText != nil && row.section == nil {
            let words = row.schema.text(width: 0).matches(of: #/"([a-z0-9.-]+)"/#).map { String($0.output.1) }
            let changes = (["7s", "1s", "7", "7KiB", "true", "false", "302", "a/b", "[192.0.2.1]"] + words).contains {
                value in
                let file = Self.file(in: name, "\(row.name): \(value)")
                let configuration = try? GatewayConfiguration.reading(file)
                return configuration.map { $0 != unset } ?? false
            }
            #expect(changes, "\(name).\(row.name)")
        }
    }

    /// A file in which one section has one key more.
    private static func file(in section: String = "", _ entry: String = "") -> String {
        func mapping(_ name: String, _ more: String...) -> String {
            "{\(((name == section ? [entry] : []) + more).joined(separator: ", "))}"
        }
        let defaults = mapping(
            "defaults", "timeouts: \(mapping("default-timeouts"))", "limits: \(mapping("default-limits"))",
            "heartbeat: \(mapping("heartbeat"))")
        let listener = "timeouts: \(mapping("listener-timeouts")), limits: \(mapping("listener-limits"))"
        let jwt = mapping("jwt", "keys: k", "algorithms: [ES256]", "audience: a")
        let basic = mapping("basic", "file: f")
        let forward = mapping("forward", "url: \"http://a\"")
        let route = mapping(
            "route", "path: /", "backend: b", "timeouts: \(mapping("timeouts"))", "limits: \(mapping("limits"))",
            "subprotocols: [a]", "auth: [{jwt: \(jwt)}, {basic: \(basic)}, {forward: \(forward)}]")
        let redirect = mapping("redirect", "to: https")
        let backend = """
            {websocket: ["wss://a"], health: \(mapping("health", "check: websocket")), eject: \(mapping("eject")),
                tls: \(mapping("backend-tls")), balance: cookie, cookie: \(mapping("cookie"))}
            """
        return """
            listeners: [{address: ":0", \(listener)}]
            names: \(mapping("names"))
            log: \(mapping("log"))
            drain: \(mapping("drain"))
            admin: \(mapping("admin", "address: \"127.0.0.1:0\""))
            trusted-proxies: [unix]
            defaults: \(defaults)
            routes: [\(route), {path: /a, redirect: \(redirect)}, {path: /b, answer: \(mapping("answer"))}]
            backends: {b: \(backend)}
            """
    }
}
