import Admission
import Configuration
import HTTP1
import Testing

@testable import Admin
@testable import ControlPlane

/// Who may use the admin address, and for what.
@Suite struct AdminAccessTests {
    private static let users = BasicSettings(file: "users")

    private static func settings(
        readOnly: Bool = false, users: BasicSettings? = nil, metrics: MetricsAccess = .asks
    ) -> GatewayConfiguration.Admin {
        var settings = GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 9901))
        (settings.readOnly, settings.auth, settings.metrics) = (readOnly, users, metrics)
        return settings
    }

    private static func request(
        _ method: String, _ target: String, host: String = "127.0.0.1:9901", origin: String? = nil, _ body: String = ""
    ) -> AdminRequest {
        var fields: HTTPFields = ["Host": host]
        if let origin { fields.append("Origin", origin) }
        return AdminRequest(method: method, target: target, fields: fields, body: Array(body.utf8))
    }

    /// A request for each thing that there is.
    private static var requests: [(method: String, path: String)] {
        AdminRouter.routes.map { ($0.method, $0.path.replacing("ID", with: "00000000000000a1")) }
    }

    private func status(_ decision: AdminRouter.Decision) -> Int? {
        switch decision {
        case .answer(let response), .refuse(let response, _): response.status
        case .ask, .identify, .open: nil
        }
    }

    // MARK: - Passwords

    /// Probes show no password.
    private static let open: Set = ["GET /healthz", "GET /readyz", "OPTIONS /"]

    @Test func `everything but probes asks for a password`() {
        let router = AdminRouter(Self.settings(users: Self.users))
        for (method, path) in Self.requests {
            let decision = router.decide(Self.request(method, path))
            let isOpen = Self.open.contains("\(method) \(path)")
            #expect((decision == .identify(Self.users)) == !isOpen, "\(method) \(path)")
            #expect(
                router.decide(Self.request(method, path), of: "alice") != .identify(Self.users), "\(method) \(path)")
        }
        for (method, path) in [("HEAD", "/healthz"), ("HEAD", "/readyz")] {
            #expect(router.decide(Self.request(method, path)) != .identify(Self.users))
        }
        // Nor is it said what there is not.
        for (method, path) in [
            ("GET", "/nowhere"), ("POST", "/healthz"), ("DELETE", "/api/sessions"), ("GET", "/metrics/"),
        ] {
            #expect(router.decide(Self.request(method, path)) == .identify(Self.users))
        }
    }

    @Test func `metrics are open if they are told to be`() {
        let router = AdminRouter(Self.settings(users: Self.users, metrics: .open))
        #expect(router.decide(Self.request("GET", "/metrics")) == .ask(.metrics))
        #expect(router.decide(Self.request("GET", "/api/sessions")) == .identify(Self.users))
    }

    @Test func `without users nothing asks for a password`() {
        let router = AdminRouter(Self.settings())
        for (method, path) in Self.requests {
            if case .identify = router.decide(Self.request(method, path)) { Issue.record("\(method) \(path)") }
        }
    }

    // MARK: - Web pages

    @Test(arguments: [nil, "alice"])
    func `no page of another site may change anything`(_ user: String?) {
        let router = AdminRouter(Self.settings(users: user.map { _ in Self.users }))
        for (method, path) in Self.requests where method == "POST" {
            let request = Self.request(method, path, origin: "https://evil.example")
            #expect(self.status(router.decide(request, of: user)) == 403, "\(path)")
            // A browser shows the password that it knows without being told to: it does not help.
            #expect(self.status(router.decide(request)) == 403, "\(path)")
        }
    }

    @Test(arguments: [nil, "alice"])
    func `no page of another site may open a WebSocket`(_ user: String?) {
        let router = AdminRouter(Self.settings(users: user.map { _ in Self.users }))
        for (method, path) in Self.requests {
            var request = Self.request(method, path, origin: "https://evil.example")
            request.fields.append("Upgrade", "websocket")
            #expect(self.status(router.decide(request, of: user)) == 403, "\(path)")
            #expect(self.status(router.decide(request)) == 403, "\(path)")
        }
    }

    @Test func `a name of another site gets nothing, and is not asked for a password`() {
        let router = AdminRouter(Self.settings(users: Self.users))
        for (method, path) in Self.requests {
            let request = Self.request(method, path, host: "evil.example", origin: "http://evil.example")
            #expect(self.status(router.decide(request)) == 421, "\(method) \(path)")
        }
    }

    // MARK: - read-only

    @Test func `a read-only address refuses what changes something`() {
        let router = AdminRouter(Self.settings(readOnly: true))
        for (method, path) in Self.requests {
            let status = self.status(router.decide(Self.request(method, path)))
            let isRefused = ["POST", "DELETE"].contains(method) && path != "/api/explain"
            #expect((status == 403) == isRefused, "\(method) \(path)")
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"] {
            #expect(self.status(router.decide(Self.request(method, "/api/sessions"))) == 403)
            #expect(self.status(router.decide(Self.request(method, "/nowhere"))) == 403)
        }
        #expect(self.status(router.decide(Self.request("GET", "/api/reload"))) == 405)
    }

    private static let attempts: [(path: String, body: String, record: String?)] = [
        ("/api/sessions/close", #"{"route": "a"}"#, "action=close target=route=a"),
        ("/api/sessions/close?dry-run=true", #"{"route": "a"}"#, nil),
        ("/api/sessions/00000000000000a1/close", "", "action=close target=session=00000000000000a1"),
        ("/api/reload", "", "action=reload target=-"),
        ("/api/reload?dry-run=true", "", nil),
        ("/api/drain", "", "action=drain target=-"),
        ("/api/drain", #"{"backend": "a", "undo": true}"#, "action=undrain target=a"),
        ("/api/endpoints", #"{"backend": "a", "endpoint": "ws://b", "state": "down"}"#, "action=down target=a ws://b"),
        ("/api/rooms/a/b", "hello", "action=publish target=a b"), ("/api/sessions/close", "{", nil),
    ]

    @Test(arguments: 0..<Self.attempts.count)
    func `what was refused is logged with what it would have changed`(_ index: Int) {
        let (path, body, record) = Self.attempts[index]
        let decision = AdminRouter(Self.settings(readOnly: true)).decide(Self.request("POST", path, body))
        #expect(self.status(decision) == 403)
        let change: AdminChange? = if case .refuse(_, let change) = decision { change } else { nil }
        #expect(change.map { "action=\($0.action) target=\($0.target ?? "-")" } == record)
        if let change { #expect(change.result == "refused: read-only" && change.count == 0) }
    }

    @Test func `an explanation is not a change`() {
        let router = AdminRouter(Self.settings(readOnly: true))
        let body = #"{"url": "ws://a/"}"#
        #expect(
            router.decide(Self.request("POST", "/api/explain", body))
                == .ask(.explain(Gateway.ExplainedRequest(url: "ws://a/"))))
    }

    @Test func `one without a password does not hear that an address is read-only`() {
        let router = AdminRouter(Self.settings(readOnly: true, users: Self.users))
        #expect(router.decide(Self.request("POST", "/api/drain")) == .identify(Self.users))
        #expect(self.status(router.decide(Self.request("POST", "/api/drain"), of: "alice")) == 403)
    }

    // MARK: - Explanations

    @Test func `a request to explain has all that decides`() {
        var expected = Gateway.ExplainedRequest(url: "https://a/b")
        expected.method = "POST"
        expected.origin = "https://a"
        expected.subprotocols = ["x", "y"]
        expected.authorization = "Bearer t"
        expected.peer = .address(IPAddress("192.0.2.1")!)
        let body = """
            {"url": "https://a/b", "method": "POST", "origin": "https://a", "subprotocol": "x, y",
             "authorization": "Bearer t", "client": "192.0.2.1"}
            """
        let router = AdminRouter(Self.settings())
        #expect(router.decide(Self.request("POST", "/api/explain", body)) == .ask(.explain(expected)))
        expected = Gateway.ExplainedRequest(url: "ws://a/")
        expected.peer = .unix
        let unix = #"{"url": "ws://a/", "client": "unix"}"#
        #expect(router.decide(Self.request("POST", "/api/explain", unix)) == .ask(.explain(expected)))
    }

    @Test(arguments: ["", "{}", #"{"url": "ws://a/", "client": "a"}"#, #"{"url": 1}"#, #"{"uri": "ws://a/"}"#, "[]"])
    func `a request that says no URL is not explained`(_ body: String) {
        let router = AdminRouter(Self.settings())
        #expect(self.status(router.decide(Self.request("POST", "/api/explain", body))) == 400)
    }
}
