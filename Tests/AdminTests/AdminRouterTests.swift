import Configuration
import DataPlane
import HTTP1
import Sessions
import Testing

@testable import Admin
@testable import ControlPlane

@Suite struct AdminRouterTests {
    private func decide(
        _ method: String, _ target: String, _ body: String = "", more: HTTPFields = HTTPFields()
    ) -> AdminRouter.Decision {
        let router = AdminRouter(GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 9901)))
        var fields: HTTPFields = ["Host": "127.0.0.1"]
        fields.append(more)
        return router.decide(
            AdminRequest(method: method, target: target, fields: fields, body: Array(body.utf8)))
    }

    private func answer(
        _ method: String, _ target: String, _ body: String = "", more: HTTPFields = HTTPFields()
    ) -> AdminResponse? {
        if case .answer(let response) = self.decide(method, target, body, more: more) { response } else { nil }
    }

    private static let id = "00000000000000a1"

    private static func order(_ code: UInt16 = 1008, _ reason: String = "") -> AdminQuestion {
        .close(CloseOrder(SessionFilter(id: SessionID(Self.id)!), code: code, reason: reason))
    }

    private static func query(
        _ order: SessionQuery.Order = .id, limit: Int = 100, after: String? = nil
    ) -> AdminQuestion {
        var query = SessionQuery()
        query.order = order
        query.limit = limit
        query.after = after.flatMap { SessionQuery.position($0, in: order) }
        return .sessions(query)
    }

    private static func query(_ filter: SessionFilter) -> AdminQuestion {
        var query = SessionQuery()
        query.filter = filter
        return .sessions(query)
    }

    @Test(arguments: [
        ("GET", "/readyz", "", AdminQuestion.readiness),
        ("HEAD", "/readyz", "", .readiness),
        ("OPTIONS", "/", "", .readiness),
        ("OPTIONS", "/?x", "", .readiness),
        ("GET", "/metrics", "", .metrics),
        ("GET", "/api/closes", "", .closes(ClosedSessionFilter())),
        ("GET", "/api/closes?cause=client-gone", "", .closes(ClosedSessionFilter(cause: .clientGone))),
        (
            "GET", "/api/closes?client=10.0.0.0/8&session=\(Self.id)&route=chat&endpoint=ws://a&code=1011", "",
            .closes(
                ClosedSessionFilter(
                    session: SessionID(Self.id), route: "chat", endpoint: "ws://a", client: IPNetwork("10.0.0.0/8"),
                    code: .number(1011)))
        ),
        ("GET", "/api/closes?code=none", "", .closes(ClosedSessionFilter(code: .absent))),
        ("GET", "/api/refusals", "", .refusals),
        ("GET", "/api/history", "", .history),
        ("GET", "/metrics?x=y", "", .metrics),
        ("GET", "/api/sessions", "", .sessions(SessionQuery())),
        ("HEAD", "/api/sessions", "", .sessions(SessionQuery())),
        ("GET", "/api/sessions?subject=alice", "", Self.query(SessionFilter(subject: "alice"))),
        ("GET", "/api/sessions?subject=%C3%A9%26+x", "", Self.query(SessionFilter(subject: "é& x"))),
        (
            "GET", "/api/sessions?route=/a&backend=b&endpoint=ws://c&client=10.0.0.0/8", "",
            Self.query(
                SessionFilter(route: "/a", backend: "b", endpoint: "ws://c", client: IPNetwork("10.0.0.0/8")))
        ),
        (
            "GET", "/api/sessions?limit=1000&after=00000000000000a1", "",
            Self.query(limit: 1000, after: "00000000000000a1")
        ),
        ("GET", "/api/sessions?sort=-queue", "", Self.query(.queue)),
        ("GET", "/api/sessions?sort=-rtt", "", Self.query(.roundTripTime)),
        (
            "GET", "/api/sessions?sort=-age&after=-5:00000000000000a1", "",
            Self.query(.age, after: "-5:00000000000000a1")
        ),
        ("GET", "/api/sessions?sort=-rate", "", Self.query(.rate)),
        ("GET", "/api/backends", "", .backends),
        ("POST", "/api/reload", "", .reload(dryRun: false)),
        ("POST", "/api/reload?dry-run=true", "", .reload(dryRun: true)),
        ("POST", "/api/reload?dry-run=1", "", .reload(dryRun: true)),
        ("POST", "/api/reload?dry-run", "", .reload(dryRun: true)),
        ("POST", "/api/reload?dry-run=false", "", .reload(dryRun: false)),
        ("POST", "/api/sessions/close", #"{"subject": "é"}"#, .close(CloseOrder(SessionFilter(subject: "é")))),
        (
            "POST", "/api/sessions/close?dry-run=true", #"{"subject": "a"}"#,
            .close(CloseOrder(SessionFilter(subject: "a"), isDryRun: true))
        ),
        (
            "POST", "/api/sessions/close", #"{"subject": "a", "for": "10m"}"#,
            .close(CloseOrder(SessionFilter(subject: "a"), keepingOut: .seconds(600)))
        ),
        ("POST", "/api/sessions/close", #"{"all": true}"#, .close(CloseOrder(SessionFilter()))),
        (
            "POST", "/api/sessions/close", #"{"route": "r", "client": "10.0.0.1", "code": 4000, "reason": "bye"}"#,
            .close(CloseOrder(SessionFilter(route: "r", client: IPNetwork("10.0.0.1")), code: 4000, reason: "bye"))
        ),
        (
            "POST", "/api/sessions/close", #"{"backend": "b", "endpoint": "ws://c", "all": false}"#,
            .close(CloseOrder(SessionFilter(backend: "b", endpoint: "ws://c")))
        ),
        (
            "POST", "/api/endpoints", #"{"backend": "a", "endpoint": "ws://b", "state": "down"}"#,
            .order(EndpointOrder(backend: "a", endpoint: "ws://b", state: .down))
        ),
        ("GET", "/api/status", "", .status),
        ("POST", "/api/drain", "", .drain(.process, undo: false)),
        ("POST", "/api/drain", "{}", .drain(.process, undo: false)),
        ("POST", "/api/drain", #"{"backend": "a"}"#, .drain(.backend("a"), undo: false)),
        (
            "POST", "/api/drain", #"{"backend": "a", "endpoint": "ws://b"}"#,
            .drain(.endpoint(backend: "a", name: "ws://b"), undo: false)
        ),
        (
            "POST", "/api/drain", #"{"backend": "a", "endpoint": "ws://b", "undo": true}"#,
            .drain(.endpoint(backend: "a", name: "ws://b"), undo: true)
        ),
        ("POST", "/api/drain", #"{"backend": "a", "undo": true}"#, .drain(.backend("a"), undo: true)),
        ("POST", "/api/sessions/\(Self.id)/close", "", Self.order()),
        ("POST", "/api/sessions/\(Self.id)/close", "{}", Self.order()),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"code": 4000}"#, Self.order(4000)),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"reason": "tidy ü"}"#, Self.order(1008, "tidy ü")),
    ])
    func aRequestAsksAQuestion(_ method: String, _ target: String, _ body: String, _ question: AdminQuestion) {
        #expect(self.decide(method, target, body) == .ask(question))
    }

    @Test(arguments: [1000, 1001, 1008, 1011, 1012, 3000, 3999, 4000, 4999])
    func `close codes that may be sent are accepted`(_ code: Int) {
        let decision = self.decide("POST", "/api/sessions/\(Self.id)/close", #"{"code": \#(code)}"#)
        #expect(decision == .ask(Self.order(UInt16(code))))
    }

    @Test(arguments: [
        ("POST", "/api/sessions/\(Self.id)/close", #"{"code": "1000"}"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"code": 1e99}"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"[]"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"code": 1000"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", String(repeating: "[", count: 60000), 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"reason": "\#(String(repeating: "a", count: 124))"}"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"reason": "\#(String(repeating: "ü", count: 62))"}"#, 400),
        ("POST", "/api/sessions/close", "", 400),
        ("POST", "/api/sessions/close", "{}", 400),
        ("POST", "/api/sessions/close", #"{"subject": ""}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "a", "roue": "b"}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "a", "for": "0s"}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "a", "for": "169h"}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "a", "for": "ten"}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "a", "for": 10}"#, 400),
        ("POST", "/api/sessions/close", #"{"for": "10m"}"#, 400),
        ("POST", "/api/sessions/close", #"{"subject": "\#(String(repeating: "a", count: 1001))", "for": "1s"}"#, 400),
        ("POST", "/api/sessions/close?dry-run=x", #"{"subject": "a"}"#, 400),
        ("POST", "/api/sessions/close", #"{"all": false}"#, 400),
        ("POST", "/api/sessions/close", #"{"all": true, "route": "r"}"#, 400),
        ("POST", "/api/sessions/close", #"{"route": ""}"#, 400),
        ("POST", "/api/sessions/close", #"{"client": "ten"}"#, 400),
        ("POST", "/api/sessions/close", #"{"client": ""}"#, 400),
        ("POST", "/api/sessions/close", #"{"route": "r", "for": "10m"}"#, 400),
        ("POST", "/api/sessions/close", #"{"all": true, "code": 1006}"#, 400),
        ("POST", "/api/sessions/close?dry_run=true", #"{"all": true}"#, 400),
        ("POST", "/api/reload?dry_run=true", "", 400),
        ("POST", "/api/drain?dry-run=true", "", 400),
        ("POST", "/api/sessions/\(Self.id)/close?dry-run=true", "", 400),
        ("POST", "/api/endpoints?dry-run", #"{"backend": "a", "endpoint": "b", "state": "up"}"#, 400),
        ("GET", "/api/refusals?cause=drain", "", 400),
        ("GET", "/api/backends?x", "", 400),
        ("POST", "/api/drain", #"{"backend": null}"#, 400),
        ("POST", "/api/sessions/close", #"{"route": null, "backend": "b"}"#, 400),
        ("POST", "/api/sessions/close", #"{"all": true, "code": null}"#, 400),
        ("GET", "/api/sessions?rout=a", "", 400),
        ("GET", "/api/sessions?client=ten", "", 400),
        ("GET", "/api/sessions?sort=queue", "", 400),
        ("GET", "/api/sessions?limit=0", "", 400),
        ("GET", "/api/sessions?limit=1001", "", 400),
        ("GET", "/api/sessions?limit=", "", 400),
        ("GET", "/api/sessions?after=5", "", 400),
        ("GET", "/api/sessions?sort=-queue&after=00000000000000a1", "", 400),
        ("GET", "/api/sessions/close", "", 405),
        ("GET", "/api/sessions?subject=", "", 400),
        ("GET", "/api/sessions?subject=a&subject=b", "", 400),
        ("POST", "/api/sessions?subject=a", "", 405),
        ("POST", "/api/sessions/A1/close", "", 404),
        ("POST", "/api/sessions/00000000000000A1/close", "", 404),
        ("POST", "/api/sessions/+0000000000000a1/close", "", 404),
        ("POST", "/api/sessions//close", "", 404),
        ("POST", "/api/sessions/\(Self.id)/", "", 404),
        ("POST", "/api/sessions/\(Self.id)/close/", "", 404),
        ("POST", "/api/reload?dry-run=maybe", "", 400),
        ("POST", "/api/drain", #"{"endpoint": "ws://b"}"#, 400),
        ("POST", "/api/drain", #"{"undo": true}"#, 400),
        ("POST", "/api/drain", "backend=a", 400),
        ("POST", "/api/drain", #"{"backnd": "a"}"#, 400),
        ("POST", "/api/drain", #"{"Backend": "a"}"#, 400),
        ("POST", "/api/drain", #"{"backend": "a", "end-point": "ws://b"}"#, 400),
        ("POST", "/api/sessions/\(Self.id)/close", #"{"status": 4000}"#, 400),
        ("POST", "/api/endpoints", "", 400),
        ("POST", "/api/endpoints", #"{"backend": "a", "endpoint": "ws://b"}"#, 400),
        ("POST", "/api/endpoints", #"{"backend": "a", "endpoint": "ws://b", "state": "off"}"#, 400),
        ("POST", "/api/endpoints", #"{"backend": "a", "endpoint": "ws://b", "state": "up", "x": 1}"#, 400),
        ("GET", "/api/endpoints", "", 405),
        ("GET", "/nowhere", "", 404),
        ("GET", "//metrics", "", 404),
        ("GET", "/metrics/", "", 404),
        ("GET", "*", "", 404),
        ("GET", "http://127.0.0.1/metrics", "", 404),
        ("GET", "/API/sessions", "", 404),
        ("GET", "/api/sessions/\(Self.id)/close", "", 405),
        ("GET", "/api/reload", "", 405),
        ("GET", "/api/drain", "", 405),
        ("HEAD", "/api/drain", "", 405),
        ("POST", "/", "", 405),
        ("POST", "/metrics", "", 405),
        ("POST", "/healthz", "", 405),
        ("OPTIONS", "/api/sessions", "", 405),
        ("OPTIONS", "/readyz", "", 405),
        ("OPTIONS", "*", "", 404),
        ("get", "/metrics", "", 405),
    ])
    func aBadRequestIsRefused(_ method: String, _ target: String, _ body: String, _ status: Int) {
        #expect(self.answer(method, target, body)?.status == status)
    }

    @Test(arguments: [-1, 0, 999, 1002, 1003, 1004, 1005, 1006, 1007, 1009, 1010, 1013, 1014, 1015, 2999, 5000, 66536])
    func `close codes that may not be sent are refused`(_ code: Int) {
        #expect(self.answer("POST", "/api/sessions/\(Self.id)/close", #"{"code": \#(code)}"#)?.status == 400)
    }

    @Test func `a wrong method is answered with the right ones`() {
        #expect(self.answer("POST", "/metrics")?.fields == ["Allow": "GET, HEAD"])
        #expect(self.answer("GET", "/api/drain")?.fields == ["Allow": "POST"])
    }

    @Test func `a question that is not for the gateway is answered at once`() throws {
        #expect(self.answer("GET", "/healthz") == AdminResponse(200, "ok"))
        #expect(self.answer("HEAD", "/healthz") == AdminResponse(200, "ok"))
        let page = try #require(self.answer("GET", "/"))
        #expect(page.status == 200)
        for path in [
            "/healthz", "/readyz", "/metrics", "/api/sessions", "/api/backends", "/api/endpoints", "/api/reload",
            "/api/drain",
        ] {
            #expect(String(decoding: page.body, as: UTF8.self).contains(" \(path) "))
        }
    }

    @Test func `browsers get the dashboard, and programs the list`() throws {
        func page(_ accept: String) -> AdminResponse? { self.answer("GET", "/", more: ["Accept": accept]) }
        for accept in ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png, TEXT/HTML;q=0.5"] {
            #expect(page(accept)?.contentType == "text/html; charset=utf-8", "\(accept)")
        }
        for accept in ["*/*", "text/plain", "application/json", "text/htmlx"] {
            #expect(page(accept)?.contentType == "text/plain; charset=utf-8", "\(accept)")
        }
        #expect(self.answer("GET", "/")?.contentType == "text/plain; charset=utf-8")
        let policy = try #require(page("text/html")?.fields.first("Content-Security-Policy"))
        #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-"))
        #expect(!policy.contains("unsafe"))
    }

    @Test func `the guard is asked before the route`() {
        let router = AdminRouter(GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 9901)))
        let decision = router.decide(AdminRequest(method: "POST", target: "/nowhere", fields: ["Host": "evil.example"]))
        guard case .answer(let response) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(response.status == 421)
    }
}
