import Configuration
import HTTP1
import Testing

@testable import Admission

/// What a request asks for under each `balance`.
@Suite struct PlacementRuleTests {
    private func target(_ text: String) throws -> RequestTarget {
        try RequestTarget(text, host: #require(Authority("example.com")))
    }

    private func placement(
        _ balance: Balance, _ fields: HTTPFields = [:], _ target: String = "/chat?x", cookie: EndpointCookie? = nil
    ) throws -> Placement {
        try PlacementRule(balance, cookie: cookie).placement(fields, self.target(target), client: "192.0.2.1")
    }

    private func cookie(_ change: (inout BackendSettings) -> Void = { _ in }) -> EndpointCookie {
        var backend = BackendSettings(name: "app", kind: .builtin(.echo))
        change(&backend)
        return EndpointCookie(of: backend, values: ["a1", "b2", "c3"])
    }

    @Test func `most ways to balance look at nothing, or at address and path`() throws {
        #expect(try self.placement(.roundRobin) == .any)
        #expect(try self.placement(.leastSessions) == .any)
        #expect(try self.placement(.randomTwo) == .any)
        #expect(try self.placement(.hashAddress) == .value("192.0.2.1"))
        #expect(try self.placement(.hashPath, [:], "/ch%61t/1?x") == .value("/chat/1"))
    }

    @Test func `the value of a cookie counts once`() throws {
        let balance = Balance.hashCookie("sid")
        #expect(try self.placement(balance, ["Cookie": "a=1; sid=x y; b=2"]) == .value("x y"))
        #expect(try self.placement(balance, ["Cookie": "a=1", "cookie": "sid=x"]) == .value("x"))
        #expect(try self.placement(balance, ["Cookie": "SID=x"]) == .any)
        #expect(try self.placement(balance, ["Cookie": "sid="]) == .any)
        #expect(try self.placement(balance, ["Cookie": "sid=x; sid=x"]) == .any)
        #expect(try self.placement(balance) == .any)
    }

    @Test func `the value of a field counts once`() throws {
        let balance = Balance.hashHeader("X-User")
        #expect(try self.placement(balance, ["x-user": "ann"]) == .value("ann"))
        #expect(try self.placement(balance, ["X-User": ""]) == .any)
        #expect(try self.placement(balance, ["X-User": "ann", "X-user": "ann"]) == .any)
        #expect(try self.placement(balance, ["X-Users": "ann"]) == .any)
    }

    @Test(arguments: [
        ("/?room=1", Placement.value("1")), ("/?a&room=1&b=room", .value("1")), ("/?r%6Fom=%31", .value("1")),
        ("/?room=a+b%20c%3d=&x", .value("a b c==")), ("/?room=%zz%4", .value("%zz%4")), ("/?room=%C3%A9", .value("é")),
        ("/", .any), ("/?", .any), ("/?room", .any), ("/?room=", .any), ("/?Room=1", .any), ("/?rooms=1", .any),
        ("/?room=1&room=2", .any), ("/?room=1&r%6fom=1", .any), ("/room=1", .any), ("/?x?room=1", .any),
    ])
    func `the value of a parameter counts once, however it is encoded`(_ target: String, _ expected: Placement) throws {
        #expect(try self.placement(.hashQuery("room"), [:], target) == expected)
    }

    @Test func `the cookie names an endpoint`() throws {
        let cookie = self.cookie()
        func placement(_ text: String) throws -> Placement {
            try self.placement(.cookie, ["Cookie": text], cookie: cookie)
        }
        #expect(try placement("a=1; gateway-app=b2; b=2") == .endpoint(1))
        #expect(try placement("gateway-app=zz") == .any)
        #expect(try placement("gateway-app=B2") == .any)
        #expect(try placement("gateway-other=b2; Gateway-App=b2") == .any)
        #expect(try self.placement(.cookie, [:], cookie: cookie) == .any)
        // A browser may have another one of that name, for a longer path or from a parent domain.
        #expect(try placement("gateway-app=zz; gateway-app=c3; gateway-app=a1") == .endpoint(2))
    }

    @Test(arguments: [
        (SameSite.lax, false, "gateway-app=b2; Path=/; HttpOnly; SameSite=Lax"),
        (.lax, true, "gateway-app=b2; Path=/; HttpOnly; SameSite=Lax; Secure"),
        (.none, false, "gateway-app=b2; Path=/; HttpOnly; SameSite=Lax"),
        (.none, true, "gateway-app=b2; Path=/; HttpOnly; SameSite=None; Secure"),
    ])
    func `a client gets the cookie of its endpoint`(
        _ sameSite: SameSite, _ isSecure: Bool, _ expected: String
    ) {
        let rule = PlacementRule(.cookie, cookie: self.cookie { $0.cookie.sameSite = sameSite })
        #expect(rule.setCookie(from: 1, after: .any, isSecure: isSecure) == expected)
        #expect(rule.setCookie(from: 1, after: .endpoint(0), isSecure: isSecure) == expected)
        #expect(rule.setCookie(from: 1, after: .endpoint(1), isSecure: isSecure) == nil)
        #expect(rule.ownCookie == "gateway-app")
    }

    @Test func `a hash sets no cookie`() {
        let rule = PlacementRule(.hashCookie("sid"), cookie: nil)
        #expect(rule.setCookie(from: 0, after: .any, isSecure: true) == nil)
        #expect(rule.ownCookie == nil)
    }

    @Test func `the client's scheme is the listener's, or what a trusted proxy says`() throws {
        func isSecure(_ fields: HTTPFields, _ arrival: Arrival) throws -> Bool {
            try #require(decide("/relay", upgradeFields(fields), arrival: arrival).admitted).isSecure
        }
        let secure = Arrival(peer: IPAddress("192.0.2.1"), listenerIsSecure: true)
        #expect(try !isSecure([:], directArrival))
        #expect(try isSecure([:], secure))
        #expect(try !isSecure(["X-Forwarded-Proto": "https"], directArrival))
        #expect(try isSecure(["X-Forwarded-Proto": "https"], proxiedArrival))
        #expect(try !isSecure(["X-Forwarded-Proto": "http"], proxiedArrival))
    }
}
