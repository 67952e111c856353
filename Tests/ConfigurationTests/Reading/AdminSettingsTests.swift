import Testing

@testable import Configuration

/// Who may use the admin address, and for what.
struct AdminSettingsTests {
    private static func configuration(_ admin: String) throws -> GatewayConfiguration {
        try GatewayConfiguration.reading("listeners: [{address: \":0\"}]\nadmin: \(admin)")
    }

    private static func warnings(_ admin: String) throws -> [String] {
        try self.configuration(admin).warnings.map { warning in
            "\(warning.position?.line ?? 0):\(warning.position?.column ?? 0): \(warning.message)"
        }
    }

    @Test func `without keys anyone may change anything, and sees no payload`() throws {
        let admin = try #require(try Self.configuration("127.0.0.1:9901").admin)
        #expect(!admin.readOnly && !admin.payloads && admin.auth == nil && admin.tls == nil)
        #expect(admin.metrics == .asks)
    }

    @Test func `each key reaches its setting`() throws {
        let text = """
            {address: 127.0.0.1:9901, read-only: true, payloads: true, metrics: open,
              auth: {basic: {file: users, realm: ops}}, tls: {self-signed: [localhost], minimum: 1.3}}
            """
        let admin = try #require(try Self.configuration(text).admin)
        var users = BasicSettings(file: "users")
        users.realm = "ops"
        var tls = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost"]))
        tls.minimum = .tls13
        #expect(admin.readOnly && admin.payloads && admin.metrics == .open)
        #expect(admin.auth == users)
        #expect(admin.tls == tls)
    }

    @Test func `auth is off as on a route`() throws {
        #expect(try Self.configuration("{address: 127.0.0.1:9901, auth: off}").admin?.auth == nil)
    }

    @Test(arguments: [
        "{address: 127.0.0.1:9901, payloads: true}", "{address: \"unix:/a\", payloads: true}",
        "{address: localhost:9901, payloads: true}",
        "{address: 10.0.0.1:9901, payloads: true, auth: {basic: {file: u}}, tls: {certificates: [{chain: c, key: k}]}}",
    ])
    func `payloads are warned of where they are allowed`(_ admin: String) throws {
        let warnings = try Self.warnings(admin)
        #expect(warnings.count == 1)
        #expect(
            warnings.first?.hasSuffix(
                ": `payloads: true` lets all users of the admin address read the messages of sessions") == true)
    }

    @Test func `an address that others reach is warned of, unless it asks for a password`() throws {
        let cure = "give `admin` `auth`, or a `unix:` or a loopback address"
        #expect(
            try Self.warnings("10.0.0.1:9901")
                == ["2:1: any client of 10.0.0.1:9901 may close sessions and drain the gateway: \(cure)"])
        #expect(
            try Self.warnings("{address: \":9901\"}")
                == ["2:9: any client of :9901 may close sessions and drain the gateway: \(cure)"])
        #expect(
            try Self.warnings("{address: \":9901\", read-only: true}")
                == ["2:9: any client of :9901 may see all sessions: \(cure)"])
        #expect(try Self.warnings("unix:/run/a.sock") == [])
        let tls = "tls: {certificates: [{chain: c, key: k}]}"
        #expect(try Self.warnings("{address: \":9901\", auth: {basic: {file: u}}, \(tls)}") == [])
    }

    @Test func `passwords that others can read are warned of`() throws {
        #expect(
            try Self.warnings("{address: \":9901\", auth: {basic: {file: u}}}") == [
                "2:27: passwords are readable on the way to the admin address :9901, which has no `tls`: add it"
            ])
    }
}
