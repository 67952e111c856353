import Credentials
import HTTP1
import TestSupport
import Testing

@testable import Admission
@testable import Configuration

/// What an auth service is asked, and what its refusals become.
@Suite struct AuthQuestionTests {
    private static let url = try! WebURL(parsing: "http://auth.internal:9091/api?a=b")

    private static func forward(_ send: String...) -> AuthSettings {
        var settings = ForwardSettings(url: Self.url)
        settings.send = send
        return .forward(settings)
    }

    private static func demand(
        _ target: String, _ fields: HTTPFields, _ kinds: [AuthSettings], method: String = "GET", signIn: String? = nil,
        arrival: Arrival = directArrival
    ) throws -> (demand: Demand, decision: Admission.Decision) {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.subtree("/app/"), .backend("chat")) {
                $0.http = .pass
                $0.auth = kinds
                $0.signIn = signIn
            }
        ]
        let head = RequestHead(method: method, target: target, fields: fields)
        let decision = Admission.decide(head, Hops(fields, arrival), RouteTable(configuration))
        guard case .demands(let demand, let then) = decision else {
            throw HeadError(.malformed, "it demands nothing: \(decision)")
        }
        return (demand, then)
    }

    private static func question(
        _ target: String, _ fields: HTTPFields, _ kinds: [AuthSettings] = [forward()], method: String = "GET",
        arrival: Arrival = directArrival
    ) throws -> String {
        let demand = try Self.demand(target, fields, kinds, method: method, arrival: arrival).demand
        #expect(demand.shown == .forward(kind: kinds.count - 1))
        return String(decoding: demand.question(fields).bytes(to: Self.url), as: UTF8.self)
    }

    @Test func `an upgrade is asked about as a GET by http`() throws {
        let fields = upgradeFields([
            "Cookie": "a=b", "Origin": "http://example.com", "User-Agent": "u", "Accept-Language": "de",
            "Sec-WebSocket-Protocol": "chat",
        ])
        #expect(
            try Self.question("/app/x?y=z", fields) == """
                GET /api?a=b HTTP/1.1\r
                Host: auth.internal:9091\r
                X-Forwarded-For: 192.0.2.1\r
                X-Forwarded-Proto: http\r
                X-Forwarded-Host: example.com\r
                X-Forwarded-Port: 80\r
                X-Real-IP: 192.0.2.1\r
                X-Forwarded-Method: GET\r
                X-Forwarded-Uri: /app/x?y=z\r
                X-Original-Method: GET\r
                X-Original-URL: http://example.com/app/x?y=z\r
                Cookie: a=b\r
                Origin: http://example.com\r
                User-Agent: u\r
                Connection: close\r
                \r

                """)
    }

    @Test func `what a trusted proxy says of the client counts, and the client's own word does not`() throws {
        let fields: HTTPFields = [
            "Host": "inner", "X-Forwarded-Proto": "wss", "X-Forwarded-Host": "example.com", "X-Forwarded-Port": "8443",
            "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Uri": "/forged", "X-Original-URL": "https://forged/",
            "X-Forwarded-Method": "OPTIONS", "X_Original_Method": "OPTIONS", "Content-Length": "5",
            "Accept": "text/html",
        ]
        let proxied = try Self.question("/app/x", fields, method: "DELETE", arrival: proxiedArrival)
        for line in [
            "X-Forwarded-For: 198.51.100.7, 192.0.2.1", "X-Real-IP: 198.51.100.7", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: example.com", "X-Forwarded-Method: DELETE", "X-Forwarded-Uri: /app/x",
            "X-Original-Method: DELETE", "X-Original-URL: https://example.com:8443/app/x", "Accept: text/html",
        ] {
            #expect(proxied.contains("\r\n\(line)\r\n"), "\(line)")
        }
        let direct = try Self.question("/app/x", fields, method: "DELETE")
        for question in [proxied, direct] {
            #expect(!question.contains("forged"))
            #expect(!question.contains("OPTIONS"))
            #expect(!question.contains("Content-Length"))
        }
        #expect(direct.contains("\r\nX-Original-URL: http://inner/app/x\r\n"))
    }

    @Test func `the service sees no token, and all else that is shown`() throws {
        var jwt = JWTSettings(keys: .file("keys"), algorithms: [.es256], audience: .any)
        jwt.token = [.query("token")]
        let fields: HTTPFields = [
            "Host": "h", "Authorization": "Digest d", "Remote-User": "root", "authorization": "e",
        ]
        let question = try Self.question(
            "/app/x?token=&a=b", fields, [.jwt(jwt), Self.forward("Remote-User", "Authorization")])
        #expect(question.contains("\r\nX-Forwarded-Uri: /app/x?a=b\r\n"))
        #expect(question.contains("\r\nX-Original-URL: http://h/app/x?a=b\r\n"))
        #expect(question.contains("\r\nAuthorization: Digest d\r\nauthorization: e\r\n"))
        #expect(!question.contains("root"))
    }

    /// No request makes another question beside its own, or a field of its own in it.
    @Test func `a question is one, whatever the client sends`() throws {
        var random = SeededGenerator(seed: 1)
        let good = RequestHead(
            method: "PUT", target: "/app/%41?a=b",
            fields: ["Host": "h", "Cookie": "a=b", "Accept": "c", "X-Forwarded-Uri": "/x", "Origin": "http://h"])
        let odd = Array("\0\t\n\r #%?,./:;=\\\"@[]\u{7F}é0Aa".utf8)
        let known = [
            "Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
            "X-Forwarded-Method", "X-Forwarded-Uri", "X-Original-Method", "X-Original-URL", "Connection",
        ]
        var count = 0
        for _ in 0..<3000 {
            var bytes = good.bytes
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = odd.randomElement(using: &random)!
                case 1: bytes.insert(odd.randomElement(using: &random)!, at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
                }
            }
            var parser = RequestHeadParser()
            guard case .head(let head, _) = parser.parse(bytes.span),
                let demand = try? Self.demand(head.target, head.fields, [Self.forward()], method: head.method).demand
            else { continue }
            count += 1
            let question = demand.question(head.fields).bytes(to: Self.url)
            var second = RequestHeadParser()
            guard case .head(let asked, question.count) = second.parse(question.span) else {
                Issue.record("no request: \(String(decoding: question, as: UTF8.self))")
                continue
            }
            #expect(asked.method == "GET")
            #expect(asked.target == Self.url.target)
            for name in known { #expect(asked.fields.values(name).count == 1, "\(name)") }
            #expect(asked.fields.first("X-Forwarded-Method") == head.method)
            #expect(demand.asked.hasSuffix(asked.fields.first("X-Forwarded-Uri") ?? "?"))
        }
        #expect(count > 500)
    }

    @Test func `explain says what would be asked, and shows no secret`() {
        var jwt = JWTSettings(keys: .file("keys"), algorithms: [.es256], audience: .any)
        jwt.token = [.query("token")]
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.exact("/app"), .backend("echo")) { $0.auth = [.jwt(jwt), Self.forward("X-User")] }
        ]
        let explanation = Explanation.explain(
            configuration, url: "ws://example.com:8080/app?token=&x=y", more: [("Cookie", "session=secret")])
        let expected = """
            ws://example.com:8080/app?*
              listener     127.0.0.1:8080
              asks         http://auth.internal:9091/api, about http://example.com:8080/app?*
              credential   as that decides; the rest is for a client that it lets in
              route        1: /app
              origin       none, as a client that is not a browser
              backend      echo: built-in echo
              subprotocol  none
              answer       101 Switching Protocols

            """
        #expect(
            explanation
                == Explanation(
                    text: expected, isServed: true, status: 101, route: "/app", backend: "echo",
                    listener: "127.0.0.1:8080"))
    }

    // MARK: - Refusals

    private static func refusal(
        _ answer: Answer, _ fields: HTTPFields, _ kinds: [AuthSettings] = [forward()], method: String = "GET",
        signIn: String? = nil
    ) throws -> Refusal {
        let demand = try Self.demand("/app/x", fields, kinds, method: method, signIn: signIn).demand
        return demand.refusal(passingOn: answer)
    }

    private static func answer(_ status: Int, _ fields: HTTPFields = [:]) -> Answer {
        Answer(status: status, reason: "R", fields: fields, body: Array("body".utf8))
    }

    private static let page: HTTPFields = ["Host": "h", "Accept": "text/html"]

    @Test(arguments: [301, 302, 303, 307, 308, 403])
    func `a plain request gets the service's answer`(status: Int) throws {
        let answer = Self.answer(status, ["Location": "/login", "Set-Cookie": "a"])
        for signIn in [nil, "https://login.example/"] {
            let refusal = try Self.refusal(answer, Self.page, signIn: signIn)
            #expect(refusal.answer == answer)
            #expect(refusal.keepsClient)
            #expect(refusal.detail == "The auth service refused the request with \(status).")
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect of an upgrade becomes a 401, with its place`(status: Int) throws {
        let refusal = try Self.refusal(
            Self.answer(status, ["Location": "/login", "Set-Cookie": "a"]), upgradeFields(),
            signIn: "https://l.example/")
        #expect(refusal.answer.status == 401)
        #expect(refusal.answer.reason == "Unauthorized")
        #expect(
            refusal.answer.fields == ["Location": "/login", "Set-Cookie": "a", "WWW-Authenticate": "Bearer"])
        #expect(refusal.answer.body == Array("body".utf8))
        #expect(refusal.detail == "The auth service refused the request with \(status).")
    }

    @Test func `a 401 has a challenge for each kind`() throws {
        let basic = AuthSettings.basic(BasicSettings(file: "users"))
        let challenge = "Basic realm=\"gateway\", charset=\"UTF-8\""
        let plain: HTTPFields = ["Host": "h"]
        func challenges(_ fields: HTTPFields, _ kinds: [AuthSettings]) throws -> [String] {
            try Self.refusal(Self.answer(401, fields), plain, kinds).answer.fields.values("WWW-Authenticate")
        }
        #expect(try challenges([:], [Self.forward()]) == ["Bearer"])
        #expect(try challenges(["WWW-Authenticate": "Negotiate"], [Self.forward()]) == ["Negotiate"])
        #expect(try challenges([:], [basic, Self.forward()]) == [challenge, "Bearer"])
        #expect(
            try challenges(["WWW-Authenticate": "Negotiate"], [basic, Self.forward()]) == ["Negotiate", challenge])
        #expect(try challenges(["WWW-Authenticate": challenge], [basic, Self.forward()]) == [challenge])
    }

    @Test func `a page's 401 becomes the way to sign in, with the service's cookies`() throws {
        let answer = Self.answer(401, ["Set-Cookie": "a", "WWW-Authenticate": "Bearer", "Set-Cookie": "b"])
        let refusal = try Self.refusal(answer, Self.page, signIn: "https://login.example/?x=y")
        #expect(refusal.status == 302)
        #expect(refusal.answer.fields.first("Location") == "https://login.example/?x=y&rd=http%3A%2F%2Fh%2Fapp%2Fx")
        #expect(refusal.answer.fields.values("Set-Cookie") == ["a", "b"])
        #expect(refusal.keepsClient)
        // A script gets the 401, and so does an upgrade.
        for fields in [["Host": "h"], upgradeFields(["Accept": "text/html"])] {
            #expect(try Self.refusal(answer, fields, signIn: "https://login.example/").status == 401)
        }
        #expect(try Self.refusal(answer, Self.page, method: "POST", signIn: "https://login.example/").status == 401)
    }

    @Test func `behind a body that is not read no other request follows`() throws {
        var fields = Self.page
        fields.append("Content-Length", "3")
        #expect(try !Self.refusal(Self.answer(403), fields, method: "POST").keepsClient)
    }
}
