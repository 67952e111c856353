import Foundation
import Testing

@testable import Configuration

/// The configuration as the admin address shows it.
struct ShownConfigurationTests {
    private static func shown(_ text: String) -> String { ShownConfiguration.text(of: Array(text.utf8)) }

    @Test func `what is shown is the same configuration, without comments`() throws {
        let text = try String(contentsOfFile: ShippedConfigurationTests.path, encoding: .utf8)
        let shown = Self.shown(text)
        #expect(!shown.contains("#"))
        #expect(try GatewayConfiguration.reading(shown) == GatewayConfiguration.reading(text))
    }

    @Test(arguments: [
        "a: b", "a: \"b c\"", "a: \"x: y\"", "a:\n  - b\n  - c: d\n    e:\n      - f", "a: []", "a: {}",
        "\"a b\": \"*\"",
        "a: \"ends:\"", "a: \"#\"", "a: \"\\\"\\\\\\n\"", "a: ${NAME}", "a: 0.5/s", "a: \"[::1]:80\"",
        "a: \"\"", "a: ",
    ])
    func `values keep their form`(_ text: String) {
        #expect(Self.shown(text) == text + "\n")
    }

    @Test(arguments: [
        ("a: ${NAME:-x}", "a: ${NAME:-*}"), ("a: b${A:-c/d}${B}${C:-}e", "a: b${A:-*}${B}${C:-*}e"),
        ("a: ws://u:${P:-x}@h/", "a: ws://*@h/"), ("a: ${", "a: ${"),
    ])
    func `what a variable is where it is not set is left out`(_ text: String, _ shown: String) {
        #expect(Self.shown(text) == shown + "\n")
    }

    /// A file with a secret in each place that may have one.
    private static let secrets = """
        # hunter2-comment
        cluster: {redis: "redis://a", user: ann, password: hunter2-redis}
        listeners: [{address: ":0"}]
        routes:
          - {path: /a, backend: b, sign-in: "https://login.example/?key=hunter2-query"}
          - path: /b
            backend: b
            auth: {forward: {url: "https://auth.example/check?key=hunter2-query"}}
        backends:
          b:
            websocket: ["ws://hunter2-user:hunter2-password@10.0.0.1:80/?key=hunter2-query", {url: "ws://a/b?hunter2-query"}]
            balance: cookie
            cookie: {key: hunter2-cookie}
            health: {check: http, path: "/?key=hunter2-query", headers: {Authorization: Bearer hunter2-header, X: "${X:-hunter2}"}}
          c: {websocket: ["${B:-ws://hunter2-user@b/c}"], cookie: {key: "${KEY:-hunter2-default}"}}
          d: {websocket: ["ws+unix:/run/a.sock:/b?key=hunter2-query"]}
        """

    @Test func `no secret is shown`() {
        let shown = Self.shown(Self.secrets)
        #expect(!shown.contains("hunter2"), "\(shown)")
        #expect(shown.contains("      - ws://*@10.0.0.1:80/?*\n"))
        #expect(shown.contains("      key: (secret)\n"))
        #expect(shown.contains("  password: (secret)\n"))
        #expect(shown.contains("        Authorization: (secret)\n"))
        #expect(shown.contains("path: /?*\n"))
    }

    /// A new key with a secret has to be in `secrets`.
    @Test func `the file with secrets has every key that is one`() {
        let names = Set(
            Section.all.flatMap { section in section.rows.filter(\.isSecret).map { "\(section.name).\($0.name)" } })
        #expect(names == ["cluster.password", "cookie.key", "health.headers"])
    }
}
