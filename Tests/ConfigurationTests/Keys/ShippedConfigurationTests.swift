import Configuration
import Foundation
import Testing

/// The `gateway.conf` at the top of the package.
struct ShippedConfigurationTests {
    static let path = Shipped.configuration

    @Test func `the shipped file serves the built-in backends and the console, with and without TLS`() throws {
        let configuration = try ConfigurationReader.read(
            text: String(contentsOfFile: Self.path, encoding: .utf8), file: Self.path, environment: [:])

        #expect(configuration.workers == nil)
        #expect(configuration.log == GatewayConfiguration.Log())
        #expect(configuration.admin == GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 9901)))
        #expect(configuration.drain == GatewayConfiguration.Drain())
        #expect(configuration.trustedProxies == TrustedProxies())
        var tls = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost", "127.0.0.1"]))
        tls.minimum = .tls12
        #expect(
            configuration.listeners == [
                ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8080)),
                ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8443), tls: tls),
            ])
        #expect(configuration.routes.map(\.name) == ["/", "/echo", "/broadcast/*", "/clock"])
        #expect(
            configuration.routes.map(\.path) == [
                .exact("/"), .exact("/echo"), .subtree("/broadcast/"), .exact("/clock"),
            ])
        #expect(
            configuration.routes.map(\.action) == [
                .page(.console), .backend("echo"), .backend("rooms"), .backend("clock"),
            ])
        #expect(configuration.routes.map(\.origins) == [.sameOrigin, .any, .any, .any])
        #expect(configuration.routes.allSatisfy { $0.limits == Limits() && $0.timeouts == Timeouts() })
        #expect(configuration.routes.allSatisfy { $0.heartbeat == HeartbeatSettings() })
        #expect(configuration.routes.allSatisfy { !$0.limitsMessagesItself })
        #expect(
            configuration.backends.mapValues(\.kind) == [
                "echo": .builtin(.echo), "rooms": .builtin(.broadcast), "clock": .builtin(.clock(every: .seconds(1))),
            ])
    }

    /// The shipped text with its commented examples switched on.
    private static func uncommented() throws -> String {
        let text = try String(contentsOfFile: self.path, encoding: .utf8)
        let examples = #/(?m)^( *)# ( *(?:- |[a-z-]+:(?: |$)).*)$/#
        // The first lines are for editors.
        let head = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(2).joined(separator: "\n")
        return String(text.dropFirst(head.count)).replacing(examples) { "\($0.output.1)\($0.output.2)" }
    }

    /// The shipped file with its examples, as it is read where the variables that they name are set.
    private static func withExamples() throws -> GatewayConfiguration {
        try GatewayConfiguration.reading(
            self.uncommented(), environment: ["STICKY_KEY": "secret", "TOKEN": "secret", "REDIS_PASSWORD": "secret"])
    }

    @Test func `the examples in the comments are right`() throws {
        let configuration = try Self.withExamples()

        #expect(configuration.listeners.count == 6)
        #expect(
            configuration.routes.map(\.name) == [
                "/", "/echo", "/broadcast/*", "/clock", "chat", "/members/*", "/news/*", "/publish/*", "/vnc", "/mqtt",
                "/app/*", "/files/*", "/screens", "www.example.com/*", "old.example.com/*", "/docs", "/alive", "/api/*",
                "/docs/*", "/*",
            ])
        #expect(configuration.warnings == [])
        #expect(
            configuration.backends.keys.sorted() == [
                "app", "chat", "clock", "echo", "files", "mqtt", "rooms", "screens", "vnc",
            ])
    }

    @Test func `the values under defaults are those of absent keys`() throws {
        let configuration = try Self.withExamples()
        let route = try #require(configuration.routes.first { $0.name == "/mqtt" })
        #expect(route.limits == Limits())
        #expect(route.timeouts == Timeouts())
        #expect(route.heartbeat == HeartbeatSettings())
        #expect(configuration.drain == GatewayConfiguration.Drain())
        let listener = try #require(configuration.listeners.first)
        #expect(listener == ListenerSettings(address: listener.address))
        #expect(route.origins == .sameOrigin)
        #expect(!route.requireOrigin)
    }

    @Test func `the example of checks and ejection has the values of absent keys`() throws {
        let configuration = try Self.withExamples()
        let backend = try #require(configuration.backends["chat"])
        let health = try #require(backend.health)
        var expected = BackendSettings.HealthCheck(check: .websocket)
        (expected.path, expected.host, expected.subprotocol) = (health.path, health.host, health.subprotocol)
        expected.headers = health.headers
        #expect(health == expected)
        #expect(backend.eject == BackendSettings.Eject())
        #expect(backend.balance == .roundRobin)
    }

    /// A key, its default, and the lines of the file that show the key.
    struct ShownKey: CustomTestStringConvertible {
        var section: String
        var name: String
        var defaultText: String?
        var lines: [Substring]

        var testDescription: String { "\(self.section): \(self.name)" }

        init(section: String, row: any KeyRow, file: String) {
            self.section = section
            self.name = row.name
            self.defaultText = row.defaultText
            self.lines = file.split(separator: "\n").filter { line in
                line.ranges(of: "\(row.name):").contains {
                    line[..<$0.lowerBound].last.map { " {".contains($0) } ?? true
                }
            }
        }

        /// The default is the value of the key somewhere, or a comment says it.
        func showsDefault(_ text: String, in file: String) -> Bool {
            for line in self.lines {
                let values = line.components(separatedBy: "\(self.name): ").dropFirst()
                if values.contains(where: { $0.hasPrefix(text) || $0.hasPrefix("\"\(text)\"") }) { return true }
                if line.contains("default: \(text)") { return true }
            }
            // Comments above a key of the first column.
            guard let key = file.firstRange(of: "\n\(self.section == "gateway" ? self.name : self.section):") else {
                return false
            }
            let comment = file[..<key.lowerBound].split(separator: "\n", omittingEmptySubsequences: false).reversed()
                .prefix { $0.hasPrefix("#") }
            return comment.contains { $0.contains("(default: \(text))") }
        }
    }

    static let shownKeys: [ShownKey] = {
        let file = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return Section.all.flatMap { section in
            section.rows.map { ShownKey(section: section.name, row: $0, file: file) }
        }
    }()

    @Test(arguments: shownKeys)
    func `the shipped file shows every key and its default`(key: ShownKey) throws {
        #expect(!key.lines.isEmpty)
        let file = try String(contentsOfFile: Self.path, encoding: .utf8)
        #expect(key.defaultText.map { key.showsDefault($0, in: file) } ?? true, "default: \(key.defaultText ?? "")")
    }

    @Test func `the first lines of the shipped file are for editors`() throws {
        let lines = try String(contentsOfFile: Self.path, encoding: .utf8).split(separator: "\n").prefix(2)
        #expect(lines == ["# yaml-language-server: $schema=ops/gateway.schema.json", "# vim: ft=yaml"])
    }
}
