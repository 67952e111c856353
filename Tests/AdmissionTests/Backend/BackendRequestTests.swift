import Configuration
import HTTP1
import Testing

@testable import Admission

@Suite struct BackendRequestTests {
    private func head(
        _ target: String = "/relay?t=1", _ more: HTTPFields = [:], path: WebSocketEndpoint.Path = .client,
        on route: PathPattern = .subtree("/"), host: HostHeader = .pass, arrival: Arrival = directArrival
    ) throws -> RequestHead {
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: path)
        let admitted = try #require(decide(target, upgradeFields(more), arrival: arrival).admitted)
        return BackendRequest.head(
            for: admitted, to: endpoint, on: route, host: host, key: "our-key", sessionID: "id-1")
    }

    @Test func `the request is written afresh`() throws {
        let admitted = try #require(
            decide(
                "/relay?t=1",
                upgradeFields([
                    "Origin": "http://example.com", "Sec-WebSocket-Protocol": "b,a", "Cookie": "c=d",
                    "Authorization": "Basic x",
                    "Sec-WebSocket-Extensions": "x-other, permessage-deflate; client_max_window_bits",
                    "User-Agent": "u",
                ])
            ).admitted)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: .client)
        let expected = """
            GET /relay?t=1 HTTP/1.1\r
            Host: example.com\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: our-key\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Protocol: b, a\r
            Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r
            Origin: http://example.com\r
            X-Forwarded-For: 192.0.2.1\r
            X-Forwarded-Proto: http\r
            X-Forwarded-Host: example.com\r
            X-Forwarded-Port: 80\r
            X-Real-IP: 192.0.2.1\r
            X-Request-Id: id-1\r
            Cookie: c=d\r
            Authorization: Basic x\r
            User-Agent: u\r
            \r\n
            """
        let bytes = BackendRequest.bytes(
            for: admitted, to: endpoint, on: .subtree("/"), host: .pass, key: "our-key", sessionID: "id-1", without: nil
        )
        #expect(text(bytes) == expected)
    }

    @Test func `the endpoint's path replaces the client's`() throws {
        #expect(try self.head().target == "/relay?t=1")
        #expect(try self.head("/%72elay").target == "/%72elay")
        #expect(try self.head(path: .fixed("/chat")).target == "/chat?t=1")
        #expect(try self.head("/relay", path: .fixed("/chat")).target == "/chat")
    }

    /// The client's target, the route's path, and what `/base/*` becomes, with its X-Forwarded-Prefix.
    @Test(
        arguments: [
            ("/broadcast/x/y?q", PathPattern.subtree("/broadcast/"), "/base/x/y?q", "/broadcast"),
            ("/broadcast/x/", .subtree("/broadcast/x/"), "/base/", "/broadcast/x"),
            ("/broad%63ast//x%2Dy/?", .subtree("/broadcast/"), "/base//x%2Dy/?", "/broadcast"),
            ("/broadcast/a/b/c", .subtree("/broadcast/a/"), "/base/b/c", "/broadcast/a"),
            ("/broadcast/a?b/c", .subtree("/"), "/base/broadcast/a?b/c", nil),
            ("http://example.com/broadcast/a?b", .subtree("/broadcast/"), "/base/a?b", "/broadcast"),
            ("/relay?a", .exact("/relay"), "/base/?a", "/relay"), ("/relay", .exact("/relay"), "/base/", "/relay"),
        ] as [(String, PathPattern, String, String?)])
    func `a star at the endpoint's end stands for what the route's matched`(
        _ sent: String, _ route: PathPattern, _ expected: String, _ prefix: String?
    ) throws {
        let forged: HTTPFields = ["X-Forwarded-Prefix": "/forged"]
        let head = try self.head(sent, forged, path: .below("/base/"), on: route)
        #expect(head.target == expected)
        #expect(head.fields.values("X-Forwarded-Prefix") == (prefix.map { [$0] } ?? []))
        #expect(try self.head(sent, forged, path: .fixed("/x"), on: route).fields.values("X-Forwarded-Prefix") == [])
    }

    @Test func `the Host is as the backend's policy says`() throws {
        #expect(try self.head().fields.values("Host") == ["example.com"])
        #expect(try self.head(host: .endpoint).fields.values("Host") == ["127.0.0.1:3000"])
        #expect(try self.head(host: .name("internal")).fields.values("Host") == ["internal"])
    }

    @Test func `hop-by-hop fields are not passed on`() throws {
        let fields = try self.head(
            "/relay",
            [
                "Connection": "keep-alive, X-Secret, Origin, X-Forwarded-For", "Keep-Alive": "1",
                "Proxy-Connection": "x", "TE": "trailers",
                "Trailer": "x", "Proxy-Authorization": "x", "X-Secret": "s", "Expect": "100-continue",
                "Content-Length": "0",
                "Sec-WebSocket-Foo": "x", "Transfer_Encoding": "chunked", "Origin": "http://example.com",
                "HTTP2-Settings": "x",
                "X_Secret": "s",
            ]
        ).fields
        #expect(
            fields.map(\.name) == [
                "Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin",
                "X-Forwarded-For",
                "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP", "X-Request-Id",
            ])
        #expect(fields.first("Connection") == "Upgrade")
    }

    @Test func `Connection may name thousands of fields`() throws {
        let fields = try self.head(
            "/relay",
            [
                "Connection": String(repeating: "a!, ", count: 3000) + "x_hop", "X-Hop": "1", "X-Kept": "2",
                "Connection": ",X-Other,x-none", "x.hop": "3", "X_OTHER": "4", "a": "5",
            ]
        ).fields
        #expect(fields.map(\.name).suffix(3) == ["X-Request-Id", "X-Kept", "a"])
    }

    private static let identity: HTTPFields = [
        "x_forwarded_for": "6.6.6.6", "X.Forwarded.Proto": "https", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6",
        "X_Real.IP": "6.6.6.6", "X-Request-ID": "theirs", "x_request_id": "theirs", "X-Forwarded-Port": "1",
        "X_Forwarded_Port": "1", "X-Forwarded-Server": "s", "X-Forwarded-Prefix": "/p", "X_Forwarded_Uri": "/u",
        "X-Forwarded-Method": "M", "X-Original-URL": "/o", "X.Original.Method": "M",
        "X-Rewrite-URL": "/r", "X_Override_URL": "/r", "X-Original-URI": "/o", "X-Original-Host": "h",
        "X-HTTP-Method-Override": "M", "X-Method-Override": "M", "X-HTTP-Method": "M", "X-Forwarded": "h",
        "X!Forwarded!For": "6.6.6.6", "X-Forwarded~Port": "1", "X|Real|IP": "6.6.6.6", "x+request+id": "theirs",
        "X'Rewrite^URL": "/r", "X`Forwarded*Server": "s",
    ]

    @Test func `identity is not taken from an untrusted address`() throws {
        let fields = try self.head("/relay", Self.identity).fields
        #expect(fields.values("X-Forwarded-For") == ["192.0.2.1"])
        #expect(fields.values("X-Request-Id") == ["id-1"])
        #expect(
            fields.map(\.name).dropFirst(5) == [
                "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
                "X-Request-Id",
            ])
        #expect(fields.values("X-Real-IP") == ["192.0.2.1"])
        #expect(fields.values("X-Forwarded-Port") == ["80"])
    }

    @Test func `a trusted proxy's other fields pass under their proper names`() throws {
        let fields = try self.head("/relay", Self.identity, arrival: proxiedArrival).fields
        #expect(fields.map(\.name).suffix(3) == ["X-Request-Id", "Forwarded", "X-Forwarded-Server"])
        #expect(fields.values("X-Real-IP") == ["192.0.2.1"])
        #expect(fields.values("X-Forwarded-Port") == ["1"])
        #expect(fields.values("X-Request-Id") == ["theirs"])
    }

    @Test func `only the gateway names another URL`() throws {
        for arrival in [directArrival, proxiedArrival] {
            let names = try self.head("/relay", Self.identity, arrival: arrival).fields.map { $0.name.lowercased() }
            #expect(!names.contains { $0.contains("original") || $0.contains("prefix") || $0.contains("uri") })
            #expect(!names.contains { $0.contains("method") || $0.contains("rewrite") || $0.contains("override") })
            #expect(!names.contains("x-forwarded"))
        }
    }

    @Test func `the gateway's own cookie stays here, and others go on in order`() throws {
        let admitted = try #require(
            decide(
                "/relay",
                upgradeFields([
                    "Cookie": "a=1; gateway-app=a558771623f29898; b=2", "Accept": "x", "cookie": "gateway-app=1",
                    "COOKIE": "gateway-other=1",
                ])
            ).admitted)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: .client)
        func cookies(without name: String?) -> [String] {
            BackendRequest.head(
                for: admitted, to: endpoint, host: .pass, key: "k", sessionID: "s", without: name
            ).fields.values("Cookie")
        }
        #expect(cookies(without: "gateway-app") == ["a=1; b=2", "gateway-other=1"])
        #expect(
            cookies(without: nil) == [
                "a=1; gateway-app=a558771623f29898; b=2", "gateway-app=1", "gateway-other=1",
            ])
    }
}
