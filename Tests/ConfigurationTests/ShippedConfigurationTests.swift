import Configuration
import Foundation
import Testing

/// The `gateway.conf` at the top of the package.
struct ShippedConfigurationTests {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "gateway.conf").path()

    @Test func `the shipped file serves the built-in backends and the console, with and without TLS`() throws {
        let configuration = try ConfigurationReader.read(
            text: String(contentsOfFile: Self.path, encoding: .utf8), file: Self.path, environment: [:])

        #expect(configuration.workers == nil)
        #expect(configuration.log == LogSettings())
        #expect(configuration.admin == AdminSettings(address: .tcp(host: "127.0.0.1", port: 9901)))
        #expect(configuration.drain == DrainSettings())
        #expect(configuration.trustedProxies == TrustedProxies())
        var tls = ListenerTLS(identity: .selfSigned(names: ["localhost", "127.0.0.1"]))
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

    @Test func `the examples in its comments are right`() throws {
        let text = try Self.uncommented()
        let configuration = try ConfigurationReader.read(text: text, file: "gateway.conf", environment: [:])

        #expect(configuration.listeners.count == 3)
        #expect(configuration.routes.map(\.name) == ["/", "/echo", "/broadcast/*", "/clock", "chat", "/vnc", "/mqtt"])
        #expect(configuration.backends.keys.sorted() == ["chat", "clock", "echo", "files", "mqtt", "rooms", "vnc"])
    }

    @Test func `its values of defaults are those of an absent key`() throws {
        let configuration = try ConfigurationReader.read(
            text: Self.uncommented(), file: "gateway.conf", environment: [:])
        let route = try #require(configuration.routes.first { $0.name == "/mqtt" })
        #expect(route.limits == Limits())
        #expect(route.timeouts == Timeouts())
        #expect(route.heartbeat == HeartbeatSettings())
        #expect(configuration.drain == DrainSettings())
        #expect(route.origins == .sameOrigin)
        #expect(!route.requireOrigin)
    }

    @Test func `its example of checks and ejection has the values of an absent key`() throws {
        let configuration = try ConfigurationReader.read(
            text: Self.uncommented(), file: "gateway.conf", environment: [:])
        let backend = try #require(configuration.backends["chat"])
        let health = try #require(backend.health)
        var expected = HealthCheckSettings(check: .websocket)
        (expected.path, expected.host, expected.subprotocol) = (health.path, health.host, health.subprotocol)
        #expect(health == expected)
        #expect(backend.eject == EjectSettings())
        #expect(backend.balance == .roundRobin)
    }

    @Test(arguments: Section.allCases)
    func `it shows every key`(section: Section) throws {
        let text = try Self.uncommented()
        for key in section.keys where key != "url" {
            #expect(text.contains(try Regex(#"(^|[ {])\#(key):"#).anchorsMatchLineEndings()), "\(key)")
        }
    }

    @Test func `its first lines are for editors`() throws {
        let lines = try String(contentsOfFile: Self.path, encoding: .utf8).split(separator: "\n").prefix(2)
        #expect(lines == ["# yaml-language-server: $schema=ops/gateway.schema.json", "# vim: ft=yaml"])
    }
}
