import Configuration
import Testing

/// `proxy-protocol`, `send-proxy-protocol` and `allow`.
struct ProxyProtocolTests {
    private static func networks(_ texts: String...) -> [IPNetwork] { texts.compactMap { IPNetwork($0) } }

    @Test func `a listener and the proxies that may connect to it`() throws {
        let configuration = try GatewayConfiguration.reading(
            """
            trusted-proxies: [10.0.0.9, unix]
            listeners:
              - {address: ":0"}
              - {address: ":1", proxy-protocol: true, allow: [10.0.0.0/8, "fd00::/8"]}
              - {address: "unix:/run/x.sock", proxy-protocol: true}
            """)
        #expect(configuration.listeners.map(\.proxyProtocol) == [false, true, true])
        #expect(configuration.listeners.map(\.allow) == [[], Self.networks("10.0.0.0/8", "fd00::/8"), []])
        #expect(configuration.warnings.isEmpty)
    }

    @Test func `a listener whose allow has no trusted proxy is a warning`() throws {
        let configuration = try GatewayConfiguration.reading(
            """
            trusted-proxies: [10.0.0.9]
            listeners:
              - {address: ":1", proxy-protocol: true, allow: [10.0.0.0/8]}
              - {address: ":2", proxy-protocol: true, allow: [192.0.2.0/24, 10.0.0.8]}
              - {address: ":3", allow: [192.0.2.0/24]}
            """)
        #expect(
            configuration.warnings.map(\.description) == [
                "gateway.conf:4:43: `allow` of a listener is compared with the proxy's address, and has none of "
                    + "`trusted-proxies`: write that of clients in `defaults` or a route"
            ])
    }

    @Test func `allow of defaults is for routes, and a route replaces it`() throws {
        func allow(_ route: String) throws -> [IPNetwork] {
            try RouteSettings.reading(defaults: "{allow: [10.0.0.0/8]}", route: route).allow
        }
        #expect(try allow("name: x") == Self.networks("10.0.0.0/8"))
        #expect(try allow("allow: [192.0.2.1]") == Self.networks("192.0.2.1"))
        #expect(try allow("allow: []") == [])
        let text = "listeners: [{address: \":0\"}]\ndefaults: {allow: [10.0.0.0/8]}"
        #expect(try GatewayConfiguration.reading(text).listeners.map(\.allow) == [[]])
    }

    @Test func `a list of addresses may come from a variable`() throws {
        let configuration = try GatewayConfiguration.reading(
            "listeners: [{address: \":0\", allow: \"${OFFICE}\"}]", environment: ["OFFICE": "10.0.0.1,192.0.2.0/24"])
        #expect(configuration.listeners[0].allow == Self.networks("10.0.0.1", "192.0.2.0/24"))
    }

    @Test(arguments: ["listeners: [{address: \":0\", allow: \"${OFFICE}\"}]", "defaults: {allow: \"${OFFICE:-}\"}"])
    func `a variable without addresses does not let everyone in`(text: String) throws {
        let file = text.hasPrefix("listeners") ? text : "listeners: [{address: \":0\"}]\n\(text)"
        let failure = #expect(throws: ConfigurationReader.Failure.self) {
            try GatewayConfiguration.reading(file, environment: ["OFFICE": ""])
        }
        #expect(
            failure?.diagnostics.map(\.message) == [
                "`allow` is a variable without addresses: write `[]` to let everyone in"
            ])
    }

    @Test(arguments: [
        ("", nil), (", send-proxy-protocol: off", nil), (", send-proxy-protocol: v1", .v1),
        (", send-proxy-protocol: v2", ProxyProtocolVersion.v2),
    ])
    func `a backend's PROXY header has a version, or is off`(key: String, version: ProxyProtocolVersion?) throws {
        #expect(try BackendSettings.reading("{tcp: [\"127.0.0.1:1\"]\(key)}").sendProxyProtocol == version)
        #expect(try BackendSettings.reading("{websocket: [\"ws://127.0.0.1:1\"]\(key)}").sendProxyProtocol == version)
    }
}
