import Configuration
import Credentials
import HTTP1
import Testing

@testable import Admission

/// What a request with and without credentials leads to, on a route of each kind.
@Suite struct DemandTests {
    private static let jwt = AuthSettings.jwt(
        {
            var settings = JWTSettings(keys: .file("keys"), algorithms: [.es256], audience: .any)
            settings.token = [.header, .cookie("session"), .query("token"), .subprotocol]
            settings.send = [SentField(name: "X-User", source: "sub")]
            return settings
        }())
    private static let basic = AuthSettings.basic(BasicSettings(file: "users"))
    private static let certificate = AuthSettings.certificate(CertificateSettings())

    private static func configuration(_ kinds: [AuthSettings]) -> GatewayConfiguration {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.exact("/relay"), .backend("chat")),
            route(.exact("/echo"), .backend("echo")),
            route(.exact("/named"), .backend("chat")) { $0.subprotocols = ["chat.v1"] },
            route(.subtree("/app/"), .backend("chat")) { $0.http = .pass },
            route(.subtree("/files/"), .files(FilesSettings("/srv"), backend: nil)),
            route(.exact("/answer"), .answer(AnswerSettings())),
            route(.exact("/away"), .redirect(RedirectSettings(to: .https))),
            route(.exact("/page"), .page(.console)),
        ].map { route in
            var route = route
            route.auth = kinds
            return route
        }
        return configuration
    }

    private static func decide(
        _ target: String, _ fields: HTTPFields = upgradeFields(), _ kinds: [AuthSettings] = [Self.jwt],
        method: String = "GET", signIn: String? = nil, hasCertificate: Bool = false,
        arrival: Arrival = directArrival
    ) -> Admission.Decision {
        var configuration = Self.configuration(kinds)
        for index in configuration.routes.indices { configuration.routes[index].signIn = signIn }
        let head = RequestHead(method: method, target: target, fields: fields)
        return Admission.decide(
            head, Hops(fields, arrival), RouteTable(configuration), hasCertificate: hasCertificate)
    }

    private static func demand(_ decision: Admission.Decision) -> (demand: Demand, decision: Admission.Decision)? {
        if case .demands(let demand, let decision) = decision { (demand, decision) } else { nil }
    }

    private static let plain: HTTPFields = ["Host": "example.com"]

    private static func plain(_ more: HTTPFields) -> HTTPFields {
        var fields = Self.plain
        fields.append(more)
        return fields
    }

    // MARK: - What is shown

    @Test(arguments: [
        ("/relay", upgradeFields(["Authorization": "Bearer T"])),
        ("/relay", upgradeFields(["Cookie": "a=b; session=T"])),
        ("/relay?a=b&token=T", upgradeFields()),
        ("/relay", upgradeFields(["Sec-WebSocket-Protocol": "chat, bearer.T"])),
        ("/echo", upgradeFields(["Sec-WebSocket-Protocol": "bearer, T"])),
        ("/app/x?token=T", plain),
        ("/files/x?token=T", plain),
        ("/answer?token=T", plain),
        ("/page?token=T", plain),
    ])
    func `a request with a token depends on it, whatever it leads to`(target: String, fields: HTTPFields) throws {
        let demand = try #require(Self.demand(Self.decide(target, fields))?.demand)
        #expect(demand.shown == .token("T", kind: 0))
    }

    @Test func `a redirect asks for nothing`() {
        #expect(status(Self.decide("/away", Self.plain)) == 308)
    }

    @Test(arguments: ["/app/x", "/files/x", "/answer", "/page"])
    func `without a credential nothing is served`(target: String) throws {
        let refusal = try #require(Self.decide(target, Self.plain, [Self.jwt, Self.basic]).refusal)
        #expect(refusal.status == 401)
        #expect(refusal.answer.fields.values("WWW-Authenticate").count == 2)
        #expect(text(refusal.answer.body) == "A credential is needed here.\n")
    }

    @Test func `a credential that cannot be read is refused, and the client is not told why`() throws {
        let fields = upgradeFields(["Authorization": "Bearer T", "authorization": "Bearer U"])
        let refusal = try #require(Self.decide("/relay", fields).refusal)
        #expect(refusal.status == 401)
        #expect(text(refusal.answer.body) == "The credential is not accepted.\n")
        #expect(refusal.detail == "The credential is not accepted: there are several tokens in header.")
        #expect(refusal.kind == "The credential is not accepted: ….")
    }

    @Test func `where only a certificate would do a client without one gets 403`() throws {
        let refusal = try #require(Self.decide("/relay", upgradeFields(), [Self.certificate]).refusal)
        #expect(refusal.status == 403)
        let decision = Self.decide("/relay", upgradeFields(), [Self.certificate], hasCertificate: true)
        #expect(Self.demand(decision)?.demand.shown == .certificate(kind: 0))
        #expect(Self.decide("/relay", upgradeFields(), [Self.certificate, Self.basic]).refusal?.status == 401)
    }

    // MARK: - Order

    @Test(arguments: [
        ("/nowhere", upgradeFields(), "GET", 404),
        ("/relay", plain, "GET", 426),
        ("/relay", upgradeFields(), "POST", 405),
        ("/relay", upgradeFields(["Origin": "https://evil.example"]), "GET", 403),
        ("/relay", upgradeFields(without: ["Sec-WebSocket-Key"]), "GET", 400),
        ("/relay", upgradeFields(["Sec-WebSocket-Protocol": "a b"]), "GET", 400),
        ("/files/x", plain, "POST", 405),
        ("/app/x", plain(["Content-Length": "2000000"]), "POST", 413),
    ])
    func `every other refusal comes first`(target: String, fields: HTTPFields, method: String, wanted: Int) {
        #expect(status(Self.decide(target, fields, method: method)) == wanted)
    }

    // MARK: - What others see

    @Test func `no one else sees a token in the target`() throws {
        let (_, decision) = try #require(Self.demand(Self.decide("/relay?a=b&token=T&c=%20", upgradeFields())))
        let admitted = try #require(decision.admitted)
        #expect(admitted.target.original == "/relay?a=b&c=%20")
        #expect(admitted.target.query == "a=b&c=%20")
        #expect(admitted.request.head.target == "/relay?a=b&c=%20")
        let plain = try #require(Self.demand(Self.decide("/app/x?token=T", Self.plain)))
        guard case .pass(let request) = plain.decision else {
            Issue.record("\(plain.decision)")
            return
        }
        #expect(request.target.original == "/app/x")
        #expect(request.target.query == nil)
    }

    @Test(
        arguments: [
            // What is offered, what the backend is offered, the answer where the gateway picks, the one where the backend picks none.
            ("bearer, T", [String](), "bearer", "bearer"),
            ("chat, bearer, T", ["chat"], "chat", "bearer"),
            ("Bearer, T, chat", ["chat"], "chat", "Bearer"),
            ("chat, bearer.T", ["chat"], "chat", nil),
            (
                "base64url.bearer.authorization.k8s.io.VA, v4.channel.k8s.io", ["v4.channel.k8s.io"],
                "v4.channel.k8s.io", nil
            ),
        ] as [(String, [String], String?, String?)])
    func `a token is no subprotocol`(
        offered: String, seen: [String], picked: String?, announcement: String?
    ) throws {
        let fields = upgradeFields(["Sec-WebSocket-Protocol": offered])
        let (demand, decision) = try #require(Self.demand(Self.decide("/relay", fields)))
        let admitted = try #require(decision.admitted)
        #expect(demand.shown == .token("T", kind: 0))
        #expect(admitted.offeredSubprotocols == seen)
        #expect(admitted.subprotocols == seen)
        #expect(admitted.announcement == announcement)
        #expect(!admitted.request.head.fields.description.contains("T,"))
        #expect(Self.demand(Self.decide("/echo", fields))?.decision.admitted?.subprotocol == picked)
    }

    @Test func `the rules of subprotocols see no token`() throws {
        let fields = upgradeFields(["Sec-WebSocket-Protocol": "bearer, T"])
        let (_, decision) = try #require(Self.demand(Self.decide("/named", fields)))
        #expect(decision.admitted?.subprotocols == [])
        #expect(decision.admitted?.announcement == "bearer")
    }

    @Test(arguments: ["bearer.T", "base64url.bearer.authorization.k8s.io.VA"])
    func `a token that is the only subprotocol is refused`(offered: String) throws {
        let fields = upgradeFields(["Sec-WebSocket-Protocol": offered])
        let refusal = try #require(Self.decide("/relay", fields).refusal)
        #expect(refusal.status == 400)
        #expect(!refusal.detail.contains("bearer.T"))
    }

    @Test func `fields that only credentials give are the credential's`() throws {
        let fields = upgradeFields([
            "Authorization": "Bearer T", "X-User": "root", "x_user": "root", "X.USER": "root", "X-Users": "kept",
        ])
        let (_, decision) = try #require(Self.demand(Self.decide("/relay", fields)))
        let admitted = try #require(decision.granted(["X-User": "alice"]).admitted)
        let head = BackendRequest.head(for: admitted, to: webSocketEndpoint(), host: .pass, key: "k", sessionID: "s")
        #expect(head.fields.values("X-User") == ["alice"])
        #expect(!head.fields.description.contains("root"))
        #expect(head.fields.values("X-Users") == ["kept"])
        #expect(head.fields.values("Authorization") == ["Bearer T"])
    }

    @Test func `plain requests get them, too`() throws {
        let fields = Self.plain(["Authorization": "Bearer T", "x_user": "root"])
        let (_, decision) = try #require(Self.demand(Self.decide("/app/x", fields)))
        guard case .pass(let request) = decision.granted(["X-User": "alice"]) else {
            Issue.record("\(decision)")
            return
        }
        let head = request.head(to: webSocketEndpoint(), host: .pass, id: "i")
        #expect(head.fields.values("X-User") == ["alice"])
        #expect(!head.fields.description.contains("root"))
    }

    @Test func `no cache may keep for others what needed a credential`() throws {
        let (_, decision) = try #require(Self.demand(Self.decide("/files/x?token=T", Self.plain)))
        let facts = FileFacts(
            name: Array("x".utf8), size: 3, modified: 0, nanoseconds: 0, modifiedText: "then", coding: nil,
            hasCodings: false)
        func caching(_ decision: Admission.Decision) -> [String]? {
            if case .files(let request) = decision { request.answer(facts).fields.values("Cache-Control") } else { nil }
        }
        #expect(caching(decision) == [])
        #expect(caching(decision.granted([:])) == ["private"])
    }

    // MARK: - Refusals

    @Test func `each verdict has its answer`() throws {
        let (demand, _) = try #require(Self.demand(Self.decide("/app/x?token=T", Self.plain)))
        #expect(demand.refusal(.refused(.signature)).status == 401)
        #expect(demand.refusal(.forbidden("x")).status == 403)
        #expect(demand.refusal(.unverifiable("x")).status == 503)
        #expect(demand.refusal(.crowded).status == 429)
        #expect(demand.refusal(.crowded).answer.fields.first("Retry-After") == "1")
        #expect(demand.refusal(.refused(.signature)).keepsClient)
        #expect(!demand.refusal(.crowded).keepsClient)
        #expect(demand.refusal(.forbidden("no")).detail == "The credential does not allow this: no.")
        #expect(text(demand.refusal(.forbidden("no")).answer.body) == "The credential does not allow this.\n")
    }

    @Test func `a browser without a credential is sent to sign in, and told where it was going`() throws {
        let page = Self.plain(["Accept": "text/html, */*;q=0.1"])
        func location(_ target: String, _ signIn: String, _ fields: HTTPFields) -> String? {
            Self.decide(target, fields, signIn: signIn).refusal?.answer.fields.first("Location")
        }
        #expect(
            location("/app/x?a=b&token=", "https://login.example/", page)
                == "https://login.example/?rd=http%3A%2F%2Fexample.com%2Fapp%2Fx%3Fa%3Db")
        #expect(
            location("/app/x", "https://login.example/?a=b", page)
                == "https://login.example/?a=b&rd=http%3A%2F%2Fexample.com%2Fapp%2Fx")
        #expect(
            location("http://example.com/app/x", "https://l/", page)?.hasSuffix("rd=http%3A%2F%2Fexample.com%2Fapp%2Fx")
                == true)
        #expect(Self.decide("/app/x", page, signIn: "https://l/").refusal?.status == 302)
        #expect(Self.decide("/app/x", Self.plain, signIn: "https://l/").refusal?.status == 401)
        #expect(Self.decide("/app/x", page, method: "POST", signIn: "https://l/").refusal?.status == 401)
        let upgrade = upgradeFields(["Accept": "text/html"])
        #expect(Self.decide("/relay", upgrade, signIn: "https://l/").refusal?.status == 401)
        let (demand, _) = try #require(
            Self.demand(Self.decide("/app/x?token=T", page, signIn: "https://l/")))
        #expect(demand.refusal(.refused(.expired(by: 1))).status == 302)
        #expect(demand.refusal(.forbidden("x")).status == 403)
    }
}
