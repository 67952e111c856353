import Configuration
import HTTP1
import Testing

@testable import Admission

/// Requests that do not ask for an upgrade, and upgrades where none is served.
@Suite struct PlainHTTPTests {
    private static func redirect(
        _ target: RedirectTarget, _ status: RedirectStatus = .permanent
    ) -> RouteSettings.Action {
        var settings = RedirectSettings(to: target)
        settings.status = status
        return .redirect(settings)
    }

    private static let alive: AnswerSettings = {
        var settings = AnswerSettings()
        settings.text = "ok"
        return settings
    }()

    /// The configuration that is asked: one route of each kind.
    private static let configuration: GatewayConfiguration = {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.subtree("/secure/"), PlainHTTPTests.redirect(.https)) { $0.scheme = .http },
            route(.subtree("/secure/"), .backend("echo")),
            route(.subtree("/old/"), PlainHTTPTests.redirect(.origin("https://new.example:8443"), .found)),
            route(.exact("/moved"), PlainHTTPTests.redirect(.url("https://new.example/here?x#y"), .seeOther)),
            route(.exact("/alive"), .answer(PlainHTTPTests.alive)),
            route(.exact("/page"), .page(.console)),
            route(.subtree("/app/"), .backend("chat")) {
                $0.http = .pass
                $0.limits.body = .bytes(10)
            },
            route(.exact("/unlimited"), .backend("chat")) {
                $0.http = .pass
                $0.limits.body = .bytes(0)
            },
            route(.exact("/echo"), .backend("echo")),
            route(.exact("/relay"), .backend("chat")),
        ]
        return configuration
    }()

    private func decide(
        _ target: String, _ fields: HTTPFields = ["Host": "example.com"], method: String = "GET",
        version: HTTPVersion = .http11, arrival: Arrival = directArrival
    ) -> Admission.Decision {
        let head = RequestHead(method: method, target: target, version: version, fields: fields)
        return Admission.decide(head, Hops(fields, arrival), RouteTable(Self.configuration))
    }

    private func answer(_ decision: Admission.Decision) -> Answer? {
        if case .answer(let answer, _, _, _) = decision { answer } else { nil }
    }

    private func location(_ decision: Admission.Decision) -> String? { self.answer(decision)?.fields.first("Location") }

    // MARK: - What is an upgrade

    @Test(arguments: [
        upgradeFields(), upgradeFields(["Connection": "keep-alive"], without: []),
        upgradeFields(["Upgrade": "h2c, WebSocket", "Connection": "UPGRADE"], without: ["Upgrade", "Connection"]),
    ])
    func `an upgrade is a GET of HTTP 1·1 that asks for it`(_ fields: HTTPFields) {
        #expect(self.decide("/app/x", fields).admitted?.routeIndex == 6)
        for (method, version) in [("POST", HTTPVersion.http11), ("HEAD", .http11), ("get", .http11), ("GET", .http10)] {
            guard case .pass = self.decide("/app/x", fields, method: method, version: version) else {
                Issue.record("\(method) \(version)")
                continue
            }
        }
    }

    @Test(arguments: [
        upgradeFields(without: ["Upgrade"]), upgradeFields(without: ["Connection"]),
        upgradeFields(["Upgrade": "h2c"], without: ["Upgrade"]), ["Host": "example.com"],
        ["Host": "example.com", "Origin": "https://evil.example"],
    ])
    func `all else is plain, and passed on where the route says so`(_ fields: HTTPFields) throws {
        guard case .pass(let request) = self.decide("/app/a%20b?x", fields) else {
            Issue.record("not passed on")
            return
        }
        #expect(request.routeIndex == 6)
        #expect(request.target.original == "/app/a%20b?x")
        #expect(request.checked.host?.text == "example.com")
        #expect(request.checked.forwarded.client == IPAddress("192.0.2.1"))
        #expect(status(self.decide("/relay", fields)) == 426)
    }

    @Test func `an upgrade on a route that passes requests on has all its rules`() {
        #expect(status(self.decide("/app/x", upgradeFields(["Origin": "https://evil.example"]))) == 403)
        #expect(status(self.decide("/app/x", upgradeFields(without: ["Sec-WebSocket-Version"]))) == 426)
        #expect(status(self.decide("/app/x", upgradeFields(without: ["Sec-WebSocket-Key"]))) == 400)
        #expect(status(self.decide("/app/x", upgradeFields(["Transfer-Encoding": "chunked"]))) == 400)
        #expect(status(self.decide("/app/x", upgradeFields(["Content-Length": "1"]))) == 400)
    }

    // MARK: - Methods

    @Test func `all methods are passed on, answered and redirected but TRACE and CONNECT`() {
        for path in ["/app/x", "/alive", "/old/x"] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
                #expect(self.decide(path, method: method).refusal == nil)
            }
            for method in ["TRACE", "CONNECT"] {
                let refusal = self.decide(path, method: method).refusal
                #expect(refusal?.status == 405)
                #expect(
                    refusal?.answer.fields.first("Allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
            }
        }
        #expect(self.decide("/page", method: "POST").refusal?.answer.fields.first("Allow") == "GET, HEAD")
        #expect(self.decide("/echo", method: "POST").refusal?.answer.fields.first("Allow") == "GET")
        #expect(self.decide("*", method: "OPTIONS").refusal?.status == 405)
    }

    // MARK: - Bodies

    @Test(
        arguments: [
            (["Content-Length": "0"], 200), (["Content-Length": "10"], 200), (["Content-Length": "11"], 413),
            (["Content-Length": "00010"], 200), (["Content-Length": "99999999999999999999"], 400),
            (["Transfer-Encoding": "chunked"], 200), (["Transfer-Encoding": "Chunked"], 200),
            (["Transfer-Encoding": "gzip, chunked"], 501), (["Transfer-Encoding": "identity"], 501),
            (["Transfer-Encoding": ", chunked"], 400), (["Transfer-Encoding": "chunked, chunked"], 400),
            (["Transfer-Encoding": "chunked", "transfer-encoding": "chunked"], 400), (["Transfer-Encoding": ""], 400),
            (["Transfer-Encoding": "chunked", "Content-Length": "3"], 400), (["Content-Length": "+3"], 400),
            (["Content-Length": "3, 3"], 400), (["Content-Length": "3", "content-length": "3"], 400),
            (["Content-Length": ""], 400),
        ] as [(HTTPFields, Int)])
    func `a body has one length that can be known`(_ more: HTTPFields, _ expected: Int) {
        var fields: HTTPFields = ["Host": "example.com"]
        fields.append(more)
        for method in ["GET", "POST"] {
            #expect(status(self.decide("/app/x", fields, method: method)) == expected)
            // Whatever it asks for: what follows such a head is not known.
            guard expected == 400 || expected == 501 else { continue }
            #expect(status(self.decide("/nowhere", fields, method: method)) == expected)
        }
    }

    @Test func `0 is no limit of a body`() {
        let fields: HTTPFields = ["Host": "example.com", "Content-Length": "123456789012"]
        #expect(status(self.decide("/unlimited", fields, method: "POST")) == 200)
    }

    @Test func `a body does not change an answer`() {
        let fields: HTTPFields = ["Host": "example.com", "Content-Length": "3"]
        #expect(status(self.decide("/alive", fields, method: "POST")) == 200)
        #expect(status(self.decide("/page", fields)) == 200)
        #expect(status(self.decide("/relay", fields)) == 426)
    }

    // MARK: - HTTP/1.0

    @Test func `HTTP 1·0 is served where plain HTTP is`() {
        for (path, expected) in [
            ("/alive", 200), ("/page", 200), ("/old/x", 302), ("/app/x", 200), ("/relay", 400), ("/echo", 400),
            ("/nowhere", 400),
        ] {
            let decision = self.decide(path, version: .http10)
            #expect(status(decision) == expected, "\(path)")
            guard expected == 400 else { continue }
            #expect(decision.refusal?.detail == "Malformed request: the version is not HTTP/1.1.")
        }
        #expect(status(self.decide("/relay", upgradeFields(), version: .http10)) == 400)
        let coded: HTTPFields = ["Host": "example.com", "Transfer-Encoding": "chunked"]
        #expect(status(self.decide("/app/x", coded, method: "POST", version: .http10)) == 400)
    }

    @Test func `HTTP 1·0 needs no Host for an answer and a page`() {
        for (path, expected) in [("/alive", 200), ("/page", 200), ("/old/x", 400), ("/app/x", 400), ("/secure/", 400)] {
            let decision = self.decide(path, [:], version: .http10)
            #expect(status(decision) == expected, "\(path)")
            guard expected == 400 else { continue }
            #expect(decision.refusal?.detail == "Malformed request: the Host is missing.")
        }
        #expect(status(self.decide("/alive", [:])) == 400)
        #expect(status(self.decide("/alive", ["Host": "a b"], version: .http10)) == 400)
        #expect(status(self.decide("http://example.com/alive", [:], version: .http10)) == 400)
    }

    @Test func `a request without a Host is for no route with hosts`() {
        var configuration = Self.configuration
        configuration.routes = [
            route(.exact("/"), .answer(Self.alive)) { $0.hosts = [.exact("a"), .subdomains(of: "a")] }
        ]
        let head = RequestHead(method: "GET", target: "/", version: .http10)
        #expect(status(Admission.decide(head, Hops([:], directArrival), RouteTable(configuration))) == 400)
    }

    // MARK: - Scheme

    private static let secureArrival = Arrival(peer: IPAddress("192.0.2.1"), listenerIsSecure: true)

    @Test func `the client's scheme chooses the route`() {
        #expect(status(self.decide("/secure/x", upgradeFields())) == 308)
        #expect(self.decide("/secure/x", upgradeFields(), arrival: Self.secureArrival).admitted?.routeIndex == 1)
    }

    @Test func `the scheme is what a trusted proxy says`() {
        for (proto, expected) in [("https", 101), ("wss", 101), ("http", 308), ("ws", 308), ("ftp", 308)] {
            let fields = upgradeFields(["X-Forwarded-Proto": proto])
            #expect(status(self.decide("/secure/x", fields, arrival: proxiedArrival)) == expected)
            #expect(status(self.decide("/secure/x", fields)) == 308)
        }
        let lowered = Arrival(
            peer: IPAddress("192.0.2.1"), listenerIsSecure: true,
            trustedProxies: TrustedProxies(networks: [IPNetwork("192.0.2.0/24")!]))
        let fields = upgradeFields(["X-Forwarded-Proto": "http"])
        #expect(status(self.decide("/secure/x", fields, arrival: lowered)) == 308)
        #expect(status(self.decide("/secure/x", fields, arrival: Self.secureArrival)) == 101)
    }

    @Test func `the log names a forwarded scheme that was ignored`() {
        var configuration = Self.configuration
        configuration.routes = [route(.exact("/a"), .backend("echo")) { $0.scheme = .https }]
        let head = RequestHead(method: "GET", target: "/a", fields: upgradeFields(["X-Forwarded-Proto": "https"]))
        let refusal = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration)).refusal
        #expect(
            refusal?.detail
                == "Nothing is served at /a on example.com; X-Forwarded-Proto was ignored because the peer is not in "
                + "`trusted-proxies`.")
        #expect(text(refusal?.answer.body ?? []) == "Nothing is served at /a.\n")
    }

    // MARK: - Redirects

    @Test(arguments: [
        ("example.com", "/secure/", "https://example.com/secure/"),
        ("Example.COM.:8080", "/secure/a%20b?x=/%2F&y", "https://Example.COM./secure/a%20b?x=/%2F&y"),
        ("[::1]:8080", "/secure/?", "https://[::1]/secure/?"), ("10.0.0.1:", "/secure/x", "https://10.0.0.1/secure/x"),
        ("example.com", "http://example.com/secure/%61", "https://example.com/secure/%61"),
    ])
    func `a redirect to https keeps host, path and query, and drops the port`(
        _ host: String, _ target: String, _ location: String
    ) {
        let decision = self.decide(target, ["Host": host])
        #expect(self.location(decision) == location)
        #expect(self.answer(decision)?.status == 308)
    }

    @Test func `a redirect to https is made of the host that a trusted proxy names`() {
        let fields: HTTPFields = ["Host": "upstream:8080", "X-Forwarded-Host": "app.example:80"]
        #expect(
            self.location(self.decide("/secure/x", fields, arrival: proxiedArrival)) == "https://app.example/secure/x")
        #expect(self.location(self.decide("/secure/x", fields)) == "https://upstream/secure/x")
    }

    @Test func `a URL without a path gets that of the request, and one with a path stands as written`() {
        #expect(self.location(self.decide("/old/a%2e?b=c")) == "https://new.example:8443/old/a%2e?b=c")
        #expect(status(self.decide("/old/x")) == 302)
        #expect(self.location(self.decide("/moved?a=b")) == "https://new.example/here?x#y")
        #expect(status(self.decide("/moved")) == 303)
    }

    @Test func `no request makes a Location of another host`() {
        for target in ["//evil.example/secure/", "/\\evil.example", "http://evil.example/secure/", "/secure/../..//x"] {
            #expect(status(self.decide(target)) == 400)
        }
        for host in ["example.com/x", "a@b", "example.com?x", "a\\b", "a#b"] {
            #expect(status(self.decide("/secure/x", ["Host": host])) == 400)
        }
    }

    // MARK: - Answers

    @Test func `an upgrade is answered as the GET that it also is`() {
        for (path, expected) in [("/alive", 200), ("/old/x", 302), ("/page", 200)] {
            let fields = upgradeFields(["Origin": "https://evil.example"])
            #expect(status(self.decide(path, fields)) == expected)
        }
    }

    private func keepsClient(_ decision: Admission.Decision) -> Bool {
        switch decision {
        case .answer(_, _, _, let keepsClient): keepsClient
        case .refused(let refusal): refusal.keepsClient
        case .pass(let request): request.keepsClient
        case .files(let request): request.keepsClient
        case .publish(let request): request.keepsClient
        case .page, .events, .upgrade, .demands: false
        }
    }

    @Test func `a connection is kept where nothing of the request is left to read`() {
        for (path, method) in [
            ("/alive", "GET"), ("/old/x", "POST"), ("/alive", "TRACE"), ("/app/x", "TRACE"), ("/nowhere", "GET"),
        ] {
            let host: HTTPFields = ["Host": "example.com"]
            #expect(self.keepsClient(self.decide(path, host, method: method)), "\(method) \(path)")
            for fields: HTTPFields in [
                ["Host": "example.com", "Connection": "close"], ["Host": "example.com", "Content-Length": "1"],
                ["Host": "example.com", "Transfer-Encoding": "chunked"],
            ] {
                #expect(!self.keepsClient(self.decide(path, fields, method: method)), "\(method) \(path)")
            }
            #expect(!self.keepsClient(self.decide(path, host, method: method, version: .http10)))
        }
    }

    @Test func `a connection ends after a refusal where only sessions are served`() {
        #expect(self.decide("/echo", method: "POST").refusal?.status == 405)
        #expect(!self.keepsClient(self.decide("/echo", method: "POST")))
        var sessionsAlone = Self.configuration
        sessionsAlone.routes = sessionsAlone.routes.filter { $0.path == .exact("/echo") }
        let head = RequestHead(method: "GET", target: "/nowhere", fields: ["Host": "example.com"])
        let decision = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(sessionsAlone))
        #expect(decision.refusal?.status == 404)
        #expect(!self.keepsClient(decision))
    }

    @Test func `an answer to a HEAD says so`() {
        for path in ["/alive", "/old/x"] {
            guard case .answer(let answer, let index, true, true) = self.decide(path, method: "HEAD"),
                case .answer(answer, index, false, true) = self.decide(path)
            else {
                Issue.record("\(path)")
                continue
            }
        }
    }
}
