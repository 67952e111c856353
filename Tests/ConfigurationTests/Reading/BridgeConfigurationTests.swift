import Configuration
import Testing

struct BridgeConfigurationTests {
    private static let ownNames = ["localhost", "127.0.0.1", "::1"]

    @Test(arguments: [
        ("6080", Address.tcp(host: "", port: 6080), false), (":6080", .tcp(host: "", port: 6080), false),
        ("0", .tcp(host: "", port: 0), false), ("127.0.0.1:6080", .tcp(host: "127.0.0.1", port: 6080), false),
        ("[::1]:6080", .tcp(host: "::1", port: 6080), false), ("unix:/run/x.sock", .unix(path: "/run/x.sock"), false),
        ("ws://:6080", .tcp(host: "", port: 6080), false), ("ws://localhost", .tcp(host: "localhost", port: 80), false),
        ("ws://localhost/", .tcp(host: "localhost", port: 80), false),
        ("wss://:8443", .tcp(host: "", port: 8443), true), ("WSS://[::1]", .tcp(host: "::1", port: 443), true),
        ("wss://unix:/run/x.sock", .unix(path: "/run/x.sock"), true),
    ])
    func `LISTEN is a port, an address or a URL`(listen: String, address: Address, tls: Bool) throws {
        let configuration = try BridgeConfiguration(listen: listen, target: "localhost:5900").gatewayConfiguration()
        #expect(configuration.listeners.map(\.address) == [address])
        let expected = tls ? ListenerSettings.TLS(identity: .selfSigned(names: Self.ownNames)) : nil
        #expect(configuration.listeners.map(\.tls) == [expected])
    }

    @Test func `tokens stand in place of a target`() throws {
        var bridge = BridgeConfiguration(listen: "6080")
        #expect(throws: BridgeConfiguration.Failure.self) { try bridge.gatewayConfiguration() }
        bridge.tokens = "/etc/tokens"
        bridge.message = .text
        let backend = try bridge.gatewayConfiguration().backends["target"]
        #expect(backend?.kind == .tokens(.init(path: "/etc/tokens", place: .query("token")), message: .text))
        bridge.target = "localhost:5900"
        #expect(throws: BridgeConfiguration.Failure.self) { try bridge.gatewayConfiguration() }
    }

    @Test func `a self-signed certificate is for the name that is listened on, too`() throws {
        let configuration = try BridgeConfiguration(listen: "wss://dev.example:8443", target: "localhost:1")
            .gatewayConfiguration()
        #expect(configuration.listeners.first?.tls?.identity == .selfSigned(names: ["dev.example"] + Self.ownNames))
    }

    @Test(arguments: ["6080", "wss://:6080"])
    func `a certificate makes a port speak TLS`(listen: String) throws {
        var bridge = BridgeConfiguration(listen: listen, target: "localhost:5900")
        bridge.certificate = "site.pem"
        bridge.key = "site.key"
        let files = [CertificateFiles(chain: "site.pem", key: "site.key")]
        #expect(try bridge.gatewayConfiguration().listeners.first?.tls == ListenerSettings.TLS(identity: .files(files)))
    }

    @Test(arguments: [
        ("localhost:5900", TCPEndpoint(address: .tcp(host: "localhost", port: 5900))),
        ("tcp://localhost:5900", TCPEndpoint(address: .tcp(host: "localhost", port: 5900))),
        ("TLS://[::1]:8883", TCPEndpoint(address: .tcp(host: "::1", port: 8883), tls: true)),
        ("unix:/run/vnc.sock", TCPEndpoint(address: .unix(path: "/run/vnc.sock"))),
    ])
    func `a TCP target is bridged to`(target: String, endpoint: TCPEndpoint) throws {
        var bridge = BridgeConfiguration(listen: "6080", target: target)
        #expect(try bridge.gatewayConfiguration().backends["target"]?.kind == .tcp([endpoint], message: .binary))
        bridge.message = .text
        #expect(try bridge.gatewayConfiguration().backends["target"]?.kind == .tcp([endpoint], message: .text))
    }

    @Test func `a WebSocket target is relayed to`() throws {
        let secure = WebSocketEndpoint(
            address: .tcp(host: "chat.internal", port: 443), tls: true, authority: "chat.internal",
            path: .fixed("/chat"))
        let socket = WebSocketEndpoint(
            address: .unix(path: "/run/app.sock"), tls: false, authority: "localhost", path: .client)
        for (target, endpoint) in [("wss://chat.internal/chat", secure), ("ws+unix:/run/app.sock", socket)] {
            let configuration = try BridgeConfiguration(listen: "6080", target: target).gatewayConfiguration()
            #expect(configuration.backends["target"]?.kind == .websocket([endpoint]))
        }
    }

    @Test func `without options every path leads to the target, from the gateway's own origin`() throws {
        let configuration = try BridgeConfiguration(listen: "6080", target: "localhost:5900").gatewayConfiguration()
        #expect(configuration.admin == nil)
        #expect(configuration.routes.map(\.heartbeat) == [HeartbeatSettings()])
        #expect(configuration.routes == [RouteSettings(name: "/*", path: .subtree("/"), action: .backend("target"))])
    }

    @Test func `options say path, origins and subprotocols`() throws {
        var bridge = BridgeConfiguration(listen: "6080", target: "localhost:5900")
        bridge.path = "/vnc"
        bridge.origins = ["https://a.example", "https://*.b.example:8443"]
        bridge.subprotocols = ["binary", "mqtt"]
        var route = RouteSettings(name: "/vnc", path: .exact("/vnc"), action: .backend("target"))
        route.origins = .list([
            OriginPattern(scheme: "https", host: .exact("a.example"), port: 443),
            OriginPattern(scheme: "https", host: .subdomains(of: "b.example"), port: 8443),
        ])
        route.subprotocols = ["binary", "mqtt"]
        #expect(try bridge.gatewayConfiguration().routes == [route])

        bridge.origins = ["any"]
        #expect(try bridge.gatewayConfiguration().routes.first?.origins == .any)
        bridge.origins = ["same-origin"]
        #expect(try bridge.gatewayConfiguration().routes.first?.origins == .sameOrigin)
    }

    @Test func `pages are beside the target, or at all other paths`() throws {
        var bridge = BridgeConfiguration(listen: "127.0.0.1:6080", target: "localhost:5900")
        bridge.web = "/usr/share/novnc"
        let files = FilesSettings("/usr/share/novnc")
        let beside = RouteSettings(name: "/*", path: .subtree("/"), action: .files(files, backend: "target"))
        #expect(try bridge.gatewayConfiguration().routes == [beside])
        #expect(BridgeConfiguration.hint(for: try bridge.gatewayConfiguration()) == nil)
        bridge.path = "/vnc"
        let routes = [
            RouteSettings(name: "/vnc", path: .exact("/vnc"), action: .backend("target")),
            RouteSettings(name: "/*", path: .subtree("/"), action: .files(files, backend: nil)),
        ]
        #expect(try bridge.gatewayConfiguration().routes == routes)
    }

    @Test(arguments: ["", "localhost", "x:y", "http://:80", "ws://", "wss:///x", "ws://:80/path", ":99999"])
    func `a wrong LISTEN is named`(listen: String) {
        let failure = #expect(throws: BridgeConfiguration.Failure.self) {
            try BridgeConfiguration(listen: listen, target: "localhost:5900").gatewayConfiguration()
        }
        #expect(failure?.argument == "LISTEN")
    }

    @Test(arguments: ["", "localhost", ":5900", "http://localhost", "ws://", "tls://localhost", "localhost:0", "5900"])
    func `a wrong TARGET is named`(target: String) {
        let failure = #expect(throws: BridgeConfiguration.Failure.self) {
            try BridgeConfiguration(listen: "6080", target: target).gatewayConfiguration()
        }
        #expect(failure?.argument == "TARGET")
        #expect(failure?.description.hasPrefix("TARGET must ") == true)
    }

    private static func bridge(_ change: (inout BridgeConfiguration) -> Void) -> BridgeConfiguration {
        var bridge = BridgeConfiguration(listen: "6080", target: "localhost:5900")
        change(&bridge)
        return bridge
    }

    @Test(arguments: [
        ("--path", bridge { $0.path = "vnc" }),
        ("--origin", bridge { $0.origins = ["a.example"] }),
        ("--origin", bridge { $0.origins = ["any", "https://a.example"] }),
        ("--subprotocol", bridge { $0.subprotocols = ["a b"] }),
        ("--web", bridge { $0.web = "" }),
        ("--cert", bridge { $0.certificate = "site.pem" }),
        ("--key", bridge { $0.key = "site.key" }),
        ("LISTEN", bridge { ($0.listen, $0.certificate, $0.key) = ("ws://:80", "site.pem", "site.key") }),
        ("TARGET", bridge { ($0.target, $0.message) = ("ws://localhost", .text) }),
    ])
    func `a wrong option is named`(argument: String, bridge: BridgeConfiguration) {
        let failure = #expect(throws: BridgeConfiguration.Failure.self) { try bridge.gatewayConfiguration() }
        #expect(failure?.argument == argument)
    }

    /// That every machine can reach it, and that no page may open a session, may surprise.
    @Test(
        arguments: [
            ("6080", [], "every address", "--origin"), (":6080", ["any"], "every address", nil),
            ("0.0.0.0:6080", ["https://a.example"], "every address", nil), ("127.0.0.1:6080", [], nil, "--origin"),
            ("unix:/run/x.sock", ["any"], nil, nil),
        ] as [(String, [String], String?, String?)])
    func `the start line says what may surprise about access`(
        listen: String, origins: [String], address: String?, pages: String?
    ) throws {
        var bridge = BridgeConfiguration(listen: listen, target: "localhost:5900")
        bridge.origins = origins
        let hint = BridgeConfiguration.hint(for: try bridge.gatewayConfiguration())
        #expect((hint == nil) == (address == nil && pages == nil))
        for word in ["every address", "--origin"] {
            #expect((hint?.contains(word) ?? false) == [address, pages].contains(word))
        }
    }
}
