import Configuration
import Foundation
import Testing

/// The `gateway.conf` at the top of the package.
struct ShippedConfigurationTests {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "gateway.conf").path()

    @Test func `the shipped file serves the built-in backends and the console, with and without TLS`() throws {
        let configuration = try ConfigurationReader.load(path: Self.path, environment: [:])

        #expect(configuration.workers == nil)
        #expect(configuration.log == LogSettings())
        #expect(configuration.trustedProxies.isEmpty)
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
        #expect(configuration.routes.allSatisfy { !$0.limitsMessagesItself })
        #expect(
            configuration.backends.mapValues(\.kind) == [
                "echo": .builtin(.echo), "rooms": .builtin(.broadcast), "clock": .builtin(.clock(every: .seconds(1))),
            ])
    }
}
