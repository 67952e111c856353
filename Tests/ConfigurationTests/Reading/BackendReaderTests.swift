import Configuration
import Testing

struct BackendReaderTests {
    @Test func `a backend may be a built-in service`() throws {
        #expect(try BackendSettings.reading("{builtin: echo}").kind == .builtin(.echo))
        #expect(try BackendSettings.reading("{builtin: broadcast, slow-consumer: close}").kind == .builtin(.broadcast))
        #expect(try BackendSettings.reading("{builtin: clock}").kind == .builtin(.clock(every: .seconds(1))))
        #expect(
            try BackendSettings.reading("{builtin: clock, every: 20ms}").kind
                == .builtin(.clock(every: .milliseconds(20))))
    }

    @Test func `a WebSocket backend takes every key of its kind`() throws {
        let backend = try BackendSettings.reading(
            """
            {websocket: ["ws://127.0.0.1:3000", {url: "wss://Chat.internal/chat/v1", weight: 1}, "WS://[0::1]", "wss://a:8443/"],
               tls: {ca: ca.pem, server-name: Chat.Internal, verify: false}, host: endpoint, source: 10.0.0.1, balance: round-robin}
            """)
        let endpoints = [
            WebSocketEndpoint(
                address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: .client),
            WebSocketEndpoint(
                address: .tcp(host: "chat.internal", port: 443), tls: true, authority: "Chat.internal",
                path: .fixed("/chat/v1")
            ),
            WebSocketEndpoint(address: .tcp(host: "::1", port: 80), tls: false, authority: "[0::1]", path: .client),
            WebSocketEndpoint(address: .tcp(host: "a", port: 8443), tls: true, authority: "a:8443", path: .fixed("/")),
        ]
        #expect(backend.kind == .websocket(endpoints))
        #expect(
            endpoints.map(\.description) == [
                "ws://127.0.0.1:3000", "wss://Chat.internal/chat/v1", "ws://[0::1]", "wss://a:8443/",
            ])
        #expect(backend.tls.ca == "ca.pem")
        #expect(backend.tls.serverName == "chat.internal")
        #expect(!backend.tls.verify)
        #expect(backend.host == .endpoint)
        #expect(backend.source == IPAddress("10.0.0.1"))
        #expect(backend.balance == .roundRobin)
    }

    @Test(arguments: [
        ("", TargetTokenPlace.query("token")), (", token: \"query:t.k n\"", nil),
        (", token: \"query:désk\"", .query("désk")),
        (", token: \"header:X-Token\"", .header("X-Token")),
        (", token: \"header:Authorization\"", .header("Authorization")),
        (", token: path", .path), (", token: \"header:sec-websocket-protocol\"", nil),
    ])
    func `a backend with tokens says where they are`(token: String, place: TargetTokenPlace?) throws {
        let text = "{tokens: /etc/tokens\(token), message: text, source: 10.0.0.1, timeouts: {connect: 1s}}"
        guard let place else {
            #expect(throws: (any Error).self) { try BackendSettings.reading(text) }
            return
        }
        let backend = try BackendSettings.reading(text)
        #expect(backend.kind == .tokens(.init(path: "/etc/tokens", place: place), message: .text))
        #expect(backend.source == IPAddress("10.0.0.1"))
        #expect(backend.tokenPlace == place)
        #expect(token.isEmpty || token.contains(place.description))
    }

    @Test func `endpoints with TLS may be shown a certificate`() throws {
        let certificate = "certificate: {chain: /etc/c.pem, key: /etc/c.key}"
        for kind in ["websocket: [\"wss://a\"]", "tcp: [\"tls://a:1\"]"] {
            let backend = try BackendSettings.reading("{\(kind), tls: {\(certificate)}}")
            #expect(backend.tls.certificate == CertificateFiles(chain: "/etc/c.pem", key: "/etc/c.key"))
        }
        #expect(try BackendSettings.reading("{websocket: [\"wss://a\"]}").tls.certificate == nil)
    }

    @Test(arguments: [
        ("ws+unix:/run/app.sock", Address.unix(path: "/run/app.sock"), WebSocketEndpoint.Path.client),
        ("ws+unix:/run/app.sock:/", .unix(path: "/run/app.sock"), .fixed("/")),
        ("ws+unix:/run/app.sock:/chat/v1:2", .unix(path: "/run/app.sock"), .fixed("/chat/v1:2")),
        ("ws+unix:/run/app.sock:/base/*", .unix(path: "/run/app.sock"), .below("/base/")),
        ("ws+unix:@app", .abstract(name: "app"), .client), ("ws+unix:@app:/x", .abstract(name: "app"), .fixed("/x")),
        ("ws+unix:app.sock", .unix(path: "app.sock"), .client),
    ])
    func `a WebSocket server may be on a Unix socket`(
        text: String, address: Address, path: WebSocketEndpoint.Path
    ) throws {
        let endpoint = WebSocketEndpoint(address: address, tls: false, authority: "localhost", path: path)
        #expect(try BackendSettings.reading("{websocket: [\"\(text)\"]}").kind == .websocket([endpoint]))
        #expect(
            try BackendSettings.reading("{websocket: [{url: \"WS+Unix\(text.dropFirst(7))\"}]}").kind
                == .websocket([endpoint]))
        #expect(endpoint.description == text)
    }

    @Test(arguments: [
        ("ws://a/base/*", WebSocketEndpoint.Path.below("/base/")), ("ws://a/*", .below("/")),
        ("ws://a/base/", .fixed("/base/")), ("ws://a/%2A", .fixed("/%2A")),
    ])
    func `the path of a URL may end with a star`(text: String, path: WebSocketEndpoint.Path) throws {
        let backend = try BackendSettings.reading("{websocket: [\"\(text)\"]}")
        let address = Address.tcp(host: "a", port: 80)
        let endpoint = WebSocketEndpoint(address: address, tls: false, authority: "a", path: path)
        #expect(backend.kind == .websocket([endpoint]))
        #expect(endpoint.description == text)
        #expect(path.checked == text.dropFirst("ws://a".count).replacing("*", with: ""))
    }

    @Test func `a TCP backend takes every key of its kind`() throws {
        let backend = try BackendSettings.reading(
            """
            {tcp: ["127.0.0.1:5900", {address: "tls://broker:8883"}, unix:/run/vnc.sock, "[::1]:5900"], message: text,
              tls: {}, source: "::1", send-proxy-protocol: off, timeouts: {connect: 1s}}
            """)
        let endpoints = [
            TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 5900)),
            TCPEndpoint(address: .tcp(host: "broker", port: 8883), tls: true),
            TCPEndpoint(address: .unix(path: "/run/vnc.sock")),
            TCPEndpoint(address: .tcp(host: "::1", port: 5900)),
        ]
        #expect(backend.kind == .tcp(endpoints, message: .text))
        #expect(
            endpoints.map(\.description) == ["127.0.0.1:5900", "tls://broker:8883", "unix:/run/vnc.sock", "[::1]:5900"])
        #expect(backend.tls == BackendSettings.TLS())
        #expect(backend.source == IPAddress("::1"))
    }

    @Test(arguments: [
        ("pass", HostHeader.pass), ("endpoint", .endpoint), ("chat.internal", .name("chat.internal")),
        ("\"chat.internal:3000\"", .name("chat.internal:3000")),
    ])
    func `a backend sees the client's Host, its own, or a name`(text: String, host: HostHeader) throws {
        #expect(try BackendSettings.reading("{websocket: [\"ws://a\"], host: \(text)}").host == host)
    }
}
