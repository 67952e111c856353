import Configuration
import HTTP1
import Testing
import WebSocketProtocol

@testable import Admission

@Suite struct AdmissionTests {
    @Test func `a good request is admitted with all that is needed later`() throws {
        let fields = upgradeFields([
            "Origin": "https://other.example", "Sec-WebSocket-Protocol": "a, b",
            "Sec-WebSocket-Extensions": "x-other, permessage-deflate; client_max_window_bits",
        ])
        let admitted = try #require(decide("/%65cho?q=%20", fields).admitted)
        #expect(admitted.routeIndex == 1)
        #expect(admitted.key == "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(admitted.target.path == "/echo")
        #expect(admitted.target.query == "q=%20")
        #expect(admitted.target.original == "/%65cho?q=%20")
        #expect(admitted.request.host?.text == "example.com")
        #expect(admitted.request.origin == "https://other.example")
        #expect(admitted.offeredSubprotocols == ["a", "b"])
        #expect(admitted.subprotocol == "a")
        #expect(admitted.compressionOffers.map(\.description) == ["permessage-deflate; client_max_window_bits"])
        #expect(admitted.request.forwarded.client == IPAddress("192.0.2.1"))
        #expect(admitted.request.head.fields == fields)
    }

    @Test func `compression is not offered to the backend where it is off`() throws {
        let fields = upgradeFields(["Sec-WebSocket-Extensions": "permessage-deflate"])
        var configuration = sampleConfiguration()
        for compression in [CompressionRule.pass, .off] {
            configuration.routes[1].compression = compression
            let head = RequestHead(method: "GET", target: "/echo", fields: fields)
            let decision = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration))
            guard case .upgrade(let admitted) = decision else {
                Issue.record("\(decision)")
                return
            }
            #expect(admitted.compressionOffers.isEmpty == (compression == .off))
        }
    }

    @Test(arguments: [
        upgradeFields(["Connection": "keep-alive"], without: []),
        upgradeFields(
            ["Connection": "keep-alive, UPGRADE", "Upgrade": "h2c, WebSocket"], without: ["Upgrade", "Connection"]),
        upgradeFields(["Content-Length": "0"]),
        upgradeFields(["Sec-WebSocket-Key": "ABCDEFGHIJKLMNOPQRSTUV=="], without: ["Sec-WebSocket-Key"]),
        upgradeFields(["Host": "localhost:"], without: ["Host"]),
    ])
    func `usual variants are admitted`(_ fields: HTTPFields) {
        #expect(status(decide("/echo", fields)) == 101)
    }

    @Test(arguments: [
        (upgradeFields(without: ["Host"]), "Malformed request: the Host is missing."),
        (upgradeFields(["host": "example.com"]), "Malformed request: more than one Host."),
        (upgradeFields(["Host": "a b"], without: ["Host"]), "Malformed request: a bad Host."),
        (upgradeFields(["Host": ""], without: ["Host"]), "Malformed request: a bad Host."),
        (upgradeFields(["Origin": "null", "origin": "null"]), "Malformed request: more than one Origin."),
        (upgradeFields(["Sec-WebSocket-Key": "x"]), "Malformed request: more than one Sec-WebSocket-Key."),
        (upgradeFields(["Sec-WebSocket-Version": "13"]), "Malformed request: more than one Sec-WebSocket-Version."),
        (upgradeFields(["Transfer-Encoding": "chunked"]), "Malformed request: a Transfer-Encoding."),
        (upgradeFields(["Content-Length": "1"]), "Malformed request: a body."),
        (upgradeFields(["Content-Length": "-0"]), "Malformed request: a bad Content-Length."),
        (upgradeFields(["Content-Length": ""]), "Malformed request: a bad Content-Length."),
        (
            upgradeFields(["Content-Length": "0", "content-length": "0"]),
            "Malformed request: more than one Content-Length."
        ),
        (upgradeFields(without: ["Sec-WebSocket-Key"]), "The Sec-WebSocket-Key is missing."),
        (
            upgradeFields(["Sec-WebSocket-Key": "short"], without: ["Sec-WebSocket-Key"]),
            "The Sec-WebSocket-Key is bad: it has to be 16 bytes in base64."
        ),
        (upgradeFields(["Sec-WebSocket-Protocol": "a b"]), "The Sec-WebSocket-Protocol is malformed."),
        (upgradeFields(["Sec-WebSocket-Protocol": "a, a"]), "The Sec-WebSocket-Protocol is malformed."),
        (upgradeFields(["Sec-WebSocket-Extensions": "a;=b"]), "The Sec-WebSocket-Extensions are malformed."),
    ])
    func `a malformed request is 400`(_ fields: HTTPFields, _ detail: String) {
        let refusal = decide("/echo", fields).refusal
        #expect(refusal?.status == 400)
        #expect(refusal?.detail == detail)
    }

    @Test func `an Origin may have 512 bytes`() {
        let long = "https://" + String(repeating: "x", count: 504)
        #expect(status(decide("/echo", upgradeFields(["Origin": long]))) != 400)
        // Whatever else is wrong: nothing is decided by it.
        for path in ["/echo", "/nowhere", "/"] {
            let refusal = decide(path, upgradeFields(["Origin": long + "x"])).refusal
            #expect(refusal?.status == 400)
            #expect(refusal?.detail == "Malformed request: an Origin of more than 512 bytes.")
            #expect(refusal?.routeIndex == nil)
        }
    }

    @Test func `a page is asked for at the host that a trusted proxy names`() {
        let fields: HTTPFields = ["Host": "upstream", "X-Forwarded-Host": "App.example:8443"]
        let page = decide("/", fields, arrival: proxiedArrival)
        #expect(page == .page(.console, routeIndex: 0, host: "app.example", scheme: .http, headOnly: false))
        #expect(decide("/", fields) == .page(.console, routeIndex: 0, host: "upstream", scheme: .http, headOnly: false))
    }

    @Test func `OPTIONS of the whole server is not allowed`() {
        let refusal = decide("*", ["Host": "example.com"], method: "OPTIONS").refusal
        #expect(refusal?.status == 405)
        #expect(refusal?.answer.fields.values("Allow") == ["GET"])
        #expect(status(decide("*", ["Host": "example.com"])) == 400)
        #expect(status(decide("*", [:], method: "OPTIONS")) == 400)
        #expect(status(decide("*", ["Host": "a", "Origin": "b", "origin": "c"], method: "OPTIONS")) == 400)
    }

    /// Origin, `X-Forwarded-Host`, `-Port` and the answer on a `same-origin` route, of a request for `app` that came by TLS.
    @Test(arguments: [
        ("https://app:8443", "app", "8443", 101), ("https://app:8443", nil, "8443", 101),
        ("https://app", "app", "8443", 403), ("https://app:8444", "app", "8443", 403),
        // What the host says itself wins.
        ("https://app:9443", "app:9443", "8443", 101), ("https://app:8443", "app:9443", "8443", 403),
        // The port of a scheme, or none.
        ("https://app", "app", "443", 101), ("https://app", "app", "80", 101), ("https://app:80", "app", "80", 403),
        ("https://app", "app", "0", 101), ("https://app", "app", "x", 101), ("https://app:8443", "app", "1, 8443", 101),
        ("https://[::1]:8443", "[::1]", "8443", 101),
    ])
    func `a trusted proxy names the port`(_ origin: String, _ host: String?, _ port: String, _ answer: Int) {
        var fields = upgradeFields(
            ["Host": "app", "Origin": origin, "X-Forwarded-Proto": "https", "X-Forwarded-Port": port],
            without: ["Host"])
        if let host { fields.append("X-Forwarded-Host", host) }
        #expect(status(decide("/relay", fields, arrival: proxiedArrival)) == answer)
    }

    @Test func `the log names a forwarded port that was ignored`() {
        let fields = upgradeFields(["Origin": "http://example.com:8443", "X-Forwarded-Port": "8443"])
        let ignored = "; X-Forwarded-Port was ignored because the peer is not in `trusted-proxies`."
        #expect(decide("/relay", fields).refusal?.detail.hasSuffix(ignored) == true)
        let believed = decide("/relay", fields, arrival: proxiedArrival)
        #expect(status(believed) == 101)
        let other = upgradeFields(["Origin": "http://evil.example", "X-Forwarded-Port": "8443"])
        #expect(
            decide("/relay", other, arrival: proxiedArrival).refusal?.detail
                == "The Origin http://evil.example is not allowed here: the request is for http://example.com:8443.")
    }

    @Test(arguments: ["/user:admin/x", "/user%3Aadmin/x", "/user%3aadmin/%78", "/%75ser:admin/x"])
    func `every spelling of a path leads to the same route`(_ target: String) throws {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(try PathPattern(parsing: "/user:admin/*"), .backend("echo")),
            route(.subtree("/"), .backend("chat")) { $0.origins = .any },
        ]
        let head = RequestHead(method: "GET", target: target, fields: upgradeFields())
        let admitted = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration)).admitted
        #expect(admitted?.routeIndex == 0)
        #expect(admitted?.target.original == target)
    }

    @Test func `a path without a route is 404`() {
        #expect(status(decide("/nowhere")) == 404)
        #expect(status(decide("/echo/")) == 404)
        #expect(decide("/nowhere").refusal?.routeIndex == nil)
        #expect(status(decide("/chat")) == 404)
    }

    @Test func `an encoded slash is kept where the first route that matches says so`() {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.exact("/docs/plain"), .backend("echo")),
            route(.subtree("/docs/"), .backend("chat")) { $0.encodedSlashes = .keep },
            route(.subtree("/other/"), .backend("echo")),
            route(.subtree("/other/"), .backend("chat")) { $0.encodedSlashes = .keep },
            route(.exact("/a%2Fb"), .backend("echo")) { $0.encodedSlashes = .keep },
        ]
        func decide(_ target: String) -> Admission.Decision {
            let head = RequestHead(method: "GET", target: target, fields: upgradeFields())
            return Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration))
        }
        #expect(decide("/docs/a%2Fb").admitted?.routeIndex == 1)
        #expect(decide("/docs/a%2fb?x").admitted?.target.original == "/docs/a%2fb?x")
        #expect(decide("/docs/a%2fb").admitted?.target.path == "/docs/a%2Fb")
        #expect(decide("/a%2fb").admitted?.routeIndex == 4)
        #expect(status(decide("/a/b")) == 404)
        // It is no slash: it leads out of no route and into none.
        #expect(status(decide("/docs%2Fa")) == 400)
        #expect(decide("/docs%2Fa").refusal?.routeIndex == nil)
        #expect(decide("/docs/plain%2F").admitted?.routeIndex == 1)
        #expect(decide("/other/a%2Fb").refusal?.detail == "Malformed request: a %2F in the path.")
        #expect(decide("/other/a%2Fb").refusal?.routeIndex == 2)
        #expect(status(decide("/other/a")) == 101)
        for target in [
            "/docs/..%2Fa", "/docs/a%2F..", "/docs/%2e%2E%2f", "/docs/a%2F.;x/b", "/docs/a%5C..%2Fb", "/docs/%00%2F",
        ] {
            #expect(status(decide(target)) == 400)
        }
    }

    private static let kubernetes = "base64url.bearer.authorization.k8s.io.c2VjcmV0"

    @Test(arguments: [
        ("\(Self.kubernetes), v5.channel.k8s.io", "v5.channel.k8s.io" as String?), (Self.kubernetes, nil),
        ("bearer.secret, mqtt", "mqtt"), ("bearer.secret", nil),
        ("Bearer.secret, BASE64URL.bearer.authorization.k8s.io.x", nil),
        ("bearer, secret", "bearer"), ("bearer, secret, mqtt", "mqtt"), ("mqtt, bearer, secret", "mqtt"),
        ("Bearer, secret, base64, b", "b"), ("base64, bearer, secret", "bearer"), ("secret, bearer", "secret"),
        ("bearer", "bearer"),
        ("bearer, bearer.secret, b", "b"),
    ])
    func `a credential is not picked as a bridge's subprotocol`(_ offered: String, _ pick: String?) {
        for path in ["/vnc", "/echo"] {
            let decision = decide(path, upgradeFields(["Sec-WebSocket-Protocol": offered]))
            #expect(status(decision) == 101)
            #expect(decision.admitted?.subprotocol == pick)
        }
        // A relay's backend may want it.
        let relayed = decide("/relay", upgradeFields(["Sec-WebSocket-Protocol": offered])).admitted
        #expect(relayed?.subprotocols.joined(separator: ", ") == offered)
    }

    @Test func `a subprotocol that the route names is not a credential`() {
        let choice = SubprotocolChoice(route(.exact("/"), .backend("vnc")) { $0.subprotocols = ["mqtt", "bearer.v1"] })
        #expect(choice.pick(from: ["bearer", "mqtt"]) == "mqtt")
        #expect(choice.pick(from: ["bearer.v1"]) == "bearer.v1")
        #expect(choice.pick(from: ["bearer.v2"]) == nil)
        #expect(choice.names(among: ["bearer", "mqtt", "x"]) == ["mqtt"])
        let free = SubprotocolChoice(route(.exact("/"), .backend("chat")))
        #expect(free.names(among: ["a", "bearer", "mqtt", "bearer.v1", "b"]) == ["a", "bearer", "b"])
    }

    @Test func `another method is 405 with those allowed`() {
        for method in ["POST", "HEAD", "OPTIONS", "get"] {
            let refusal = decide("/echo", method: method).refusal
            #expect(refusal?.status == 405)
            #expect(refusal?.answer.fields.first("Allow") == "GET")
            #expect(refusal?.routeIndex == 1)
        }
        #expect(decide("/", method: "POST").refusal?.answer.fields.first("Allow") == "GET, HEAD")
        #expect(status(decide("/echo", upgradeFields(["Content-Length": "5"]), method: "POST")) == 405)
    }

    @Test func `the answer to a HEAD has no body`() {
        let refusal = decide("/echo", method: "HEAD").refusal
        #expect(refusal.map { text($0.bytes(date: "now")).hasSuffix("\r\n\r\n") } == true)
    }

    @Test func `a page is served to GET and HEAD`() {
        #expect(
            decide("/", ["Host": "example.com"])
                == .page(.console, routeIndex: 0, host: "example.com", scheme: .http, headOnly: false))
        #expect(
            decide("/?x", ["Host": "example.com"], method: "HEAD")
                == .page(.console, routeIndex: 0, host: "example.com", scheme: .http, headOnly: true))
        #expect(status(decide("/", ["Host": "example.com", "Content-Length": "3"])) == 200)
    }

    @Test(arguments: [
        upgradeFields(without: ["Upgrade"]), upgradeFields(without: ["Connection"]),
        upgradeFields(["Upgrade": "h2c"], without: ["Upgrade"]),
        upgradeFields(["Connection": "keep-alive"], without: ["Connection"]), ["Host": "example.com"],
    ])
    func `a plain request is 426`(_ fields: HTTPFields) throws {
        let refusal = try #require(decide("/echo", fields).refusal)
        #expect(refusal.status == 426)
        let answer = text(refusal.bytes(date: "now"))
        #expect(answer.contains("\r\nUpgrade: websocket\r\n"))
        #expect(answer.contains("\r\nConnection: Upgrade, close\r\n"))
        #expect(!answer.contains("Sec-WebSocket-Version"))
    }

    @Test(arguments: ["8", "013", "13, 8", "", "14"])
    func `another version is 426 with ours`(_ version: String) throws {
        let fields = upgradeFields(["Sec-WebSocket-Version": version], without: ["Sec-WebSocket-Version"])
        let refusal = try #require(decide("/echo", fields).refusal)
        #expect(refusal.status == 426)
        #expect(text(refusal.bytes(date: "now")).contains("\r\nSec-WebSocket-Version: 13\r\n"))
    }

    @Test func `a missing version is 426 with ours`() throws {
        let refusal = try #require(decide("/echo", upgradeFields(without: ["Sec-WebSocket-Version"])).refusal)
        #expect(refusal.status == 426)
        #expect(refusal.answer.fields.first("Sec-WebSocket-Version") == "13")
    }

    @Test func `an Origin that is not allowed is 403`() {
        #expect(status(decide("/relay", upgradeFields(["Origin": "http://evil.example"]))) == 403)
        #expect(status(decide("/relay", upgradeFields(["Origin": "http://example.com"]))) == 101)
        #expect(status(decide("/relay")) == 101)
    }

    @Test func `a route may demand an Origin`() {
        #expect(status(decide("/clock")) == 403)
        #expect(status(decide("/clock", upgradeFields(["Origin": "http://example.com"]))) == 101)
    }

    @Test func `a route may demand a subprotocol`() throws {
        func chat(_ more: HTTPFields) -> Admission.Decision {
            var fields = upgradeFields(["Host": "CHAT.example.com.:80"], without: ["Host"])
            for field in more { fields.append(field) }
            return decide("/chat", fields)
        }
        #expect(status(chat([:])) == 400)
        #expect(
            chat([:]).refusal?.answer.body
                == Array("This route requires a subprotocol. Offer one of: chat.v2, chat.v1.\n".utf8))
        #expect(status(chat(["Sec-WebSocket-Protocol": "chat.v3"])) == 400)
        let admitted = try #require(
            chat(["Sec-WebSocket-Protocol": "other, chat.v1", "sec-websocket-protocol": "chat.v2"]).admitted)
        #expect(admitted.offeredSubprotocols == ["other", "chat.v1", "chat.v2"])
        #expect(admitted.subprotocols == ["chat.v2", "chat.v1"])
        #expect(admitted.requiresSubprotocol)
    }

    @Test func `base64 is not picked as a bridge's subprotocol`() {
        #expect(status(decide("/mqtt", upgradeFields(["Sec-WebSocket-Protocol": "base64"]))) == 400)
        let both = upgradeFields(["Sec-WebSocket-Protocol": "base64, binary"])
        #expect(decide("/mqtt", both).admitted?.subprotocol == "binary")
        #expect(decide("/vnc", upgradeFields(["Sec-WebSocket-Protocol": "base64"])).admitted?.subprotocol == .some(nil))
        #expect(decide("/relay", both).admitted?.subprotocols == ["base64", "binary"])
    }

    @Test func `the first thing that is wrong decides the answer`() {
        // Each request has everything wrong that comes later in the order too.
        let late: HTTPFields = ["Host": "example.com", "Origin": "http://evil.example"]
        func with(_ more: HTTPFields, _ base: HTTPFields = late) -> HTTPFields {
            var fields = base
            for field in more { fields.append(field) }
            return fields
        }
        #expect(status(decide("/a/../b", with(["Host": "x"]), method: "POST")) == 400)
        #expect(status(decide("/nowhere", with(["Origin": "x"]), method: "POST")) == 400)
        #expect(status(decide("/nowhere", late, method: "POST")) == 404)
        #expect(status(decide("/clock", late, method: "POST")) == 405)
        #expect(status(decide("/clock", late)) == 426)
        let upgrade = with(["Upgrade": "websocket", "Connection": "upgrade"])
        #expect(status(decide("/clock", upgrade)) == 426)
        let version = with(["Sec-WebSocket-Version": "13"], upgrade)
        #expect(status(decide("/clock", version)) == 400)
        #expect(status(decide("/clock", with(["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="], version))) == 403)
    }

    @Test func `a trusted proxy may have terminated the TLS`() {
        let fields = upgradeFields(["Origin": "https://example.com", "X-Forwarded-Proto": "https"])
        #expect(status(decide("/relay", fields, arrival: proxiedArrival)) == 101)
        #expect(status(decide("/relay", fields)) == 403)
    }

    @Test func `the host that a trusted proxy names counts`() {
        // As nginx and Apache send it: the Host is that of the gateway.
        let proxied: HTTPFields = [
            "X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example.com", "Origin": "https://chat.example.com",
            "Sec-WebSocket-Protocol": "chat.v1",
        ]
        #expect(status(decide("/relay", upgradeFields(proxied), arrival: proxiedArrival)) == 101)
        #expect(status(decide("/chat", upgradeFields(proxied), arrival: proxiedArrival)) == 101)
        #expect(status(decide("/relay", upgradeFields(proxied))) == 403)
        #expect(status(decide("/chat", upgradeFields(proxied))) == 404)
    }

    @Test func `a gateway behind a gateway admits same-origin clients`() {
        let fields = upgradeFields([
            "Origin": "https://example.com", "X-Forwarded-For": "203.0.113.7, 192.0.2.8", "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "example.com", "X-Forwarded-Port": "443", "X-Real-IP": "203.0.113.7",
        ])
        #expect(status(decide("/relay", fields, arrival: proxiedArrival)) == 101)
    }

    private static let comparisons: [(HTTPFields, String)] = [
        (["Origin": "https://evil.example"], "the request is for http://example.com"),
        (
            ["Origin": "https://example.com", "X-Forwarded-Proto": "https"],
            "the request is for http://example.com; X-Forwarded-Proto was ignored because the peer is not in `trusted-proxies`"
        ),
        (
            ["Origin": "https://a.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example"],
            "the request is for http://example.com; X-Forwarded-Proto and X-Forwarded-Host were ignored because the peer is not "
                + "in `trusted-proxies`"
        ),
        // It would not have helped.
        (["Origin": "https://evil.example", "X-Forwarded-Proto": "https"], "the request is for http://example.com"),
    ]

    @Test(arguments: Self.comparisons)
    func `the log says what a refused Origin was compared with`(_ fields: HTTPFields, _ compared: String) throws {
        let refusal = try #require(decide("/relay", upgradeFields(fields)).refusal)
        let origin = fields.first("Origin") ?? ""
        #expect(refusal.status == 403)
        #expect(refusal.detail == "The Origin \(origin) is not allowed here: \(compared).")
        // What others of the kind have in common.
        #expect(!refusal.kind.contains("example"))
        #expect(
            text(refusal.answer.body) == "The Origin \(origin) is not allowed here. The route's `origins` decide.\n")
    }

    @Test func `the log says that the proxy sent no scheme`() {
        let refusal = decide("/relay", upgradeFields(["Origin": "https://example.com"]), arrival: proxiedArrival)
            .refusal
        #expect(
            refusal?.detail
                == "The Origin https://example.com is not allowed here: the request is for http://example.com, and "
                + "the proxy sent no X-Forwarded-Proto.")
        let said = upgradeFields(["Origin": "https://example.com", "X-Forwarded-Proto": "http"])
        #expect(
            decide("/relay", said, arrival: proxiedArrival).refusal?.detail
                == "The Origin https://example.com is not allowed here: the request is for http://example.com.")
    }

    @Test func `the log names the list of origins`() {
        let fields = upgradeFields(
            [
                "Origin": "http://chat.example.com", "Host": "chat.example.com", "Sec-WebSocket-Protocol": "chat.v1",
            ], without: ["Host"])
        #expect(
            decide("/chat", fields).refusal?.detail
                == "The Origin http://chat.example.com is not allowed here: `origins` of "
                + "the route are [https://chat.example.com].")
    }

    @Test(arguments: [
        ("/broadcast", "`/broadcast/*`"), ("/relay/", "`/relay`"),
    ])
    func `the log names the route of which a path lacks, or has too much, its last slash`(
        _ path: String, _ near: String
    ) {
        let refusal = decide(path).refusal
        #expect(refusal?.detail == "Nothing is served at \(path): \(near) does not take it.")
        #expect(refusal?.cure == "Add a route with the path `\(path)`.")
        #expect(text(refusal?.answer.body ?? []) == "Nothing is served at \(path).\n")
    }

    @Test func `the log names a forwarded host that was ignored`() {
        let refusal = decide("/chat", upgradeFields(["X-Forwarded-Host": "chat.example.com"])).refusal
        #expect(
            refusal?.detail
                == "Nothing is served at /chat on example.com; X-Forwarded-Host was ignored because the peer is not "
                + "in `trusted-proxies`.")
        #expect(text(refusal?.answer.body ?? []) == "Nothing is served at /chat.\n")
        let other = decide("/chat", upgradeFields(["X-Forwarded-Host": "evil.example"])).refusal
        #expect(other?.detail == "Nothing is served at /chat.")
    }
}
