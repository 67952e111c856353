import Configuration
import HTTP1
import Testing

@testable import Admission

/// Requests to backends whose endpoints are named by tokens.
@Suite struct TokenAdmissionTests {
    private static func configuration(
        _ place: TargetTokenPlace, _ change: (inout GatewayConfiguration) -> Void = { _ in }
    ) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        let kind = BackendSettings.Kind.tokens(.init(path: "/etc/tokens", place: place), message: .binary)
        configuration.backends["vnc"] = BackendSettings(name: "vnc", kind: kind)
        configuration.routes = [
            route(place == .path ? .subtree("/vnc/") : .exact("/vnc"), .backend("vnc")) {
                $0.encodedSlashes = .keep
            }
        ]
        change(&configuration)
        return configuration
    }

    private static func decide(
        _ place: TargetTokenPlace, _ target: String, _ more: HTTPFields = HTTPFields()
    ) -> Admission.Decision {
        let head = RequestHead(method: "GET", target: target, fields: upgradeFields(more))
        return Admission.decide(head, Hops(head.fields, directArrival), RouteTable(Self.configuration(place)))
    }

    @Test(arguments: [
        ("?token=a", "a"), ("?x=1&token=a&y=2", "a"), ("?tok%65n=%61+b%2Bc", "a b+c"), ("?token=a=b", "a=b"),
        ("?token=%", "%"), ("?token=a&Token=b&tokens=c", "a"), ("?token=%FF", "\u{FFFD}"),
    ])
    func `a token is in the query`(query: String, token: String) {
        #expect(Self.decide(.query("token"), "/vnc\(query)").admitted?.token == token)
    }

    @Test(arguments: [
        ("", 404, "This address needs a token."), ("?", 404, "This address needs a token."),
        ("?token", 404, "This address needs a token."), ("?token=", 404, "This address needs a token."),
        ("?TOKEN=a", 404, "This address needs a token."), ("?token=a&token=a", 400, "The token is repeated."),
        ("?token=a&tok%65n=", 400, "The token is repeated."), ("?token&token", 400, "The token is repeated."),
    ])
    func `a query without just one token is refused`(query: String, status: Int, detail: String) {
        let refusal = Self.decide(.query("token"), "/vnc\(query)").refusal
        #expect(refusal?.status == status)
        #expect(refusal?.detail == detail)
        #expect(refusal?.routeIndex == 0)
    }

    @Test(arguments: [
        ("/vnc/a", "a"), ("/vnc/a?token=b", "a"), ("/vn%63/%61", "a"), ("/vnc/a/b", "a/b"), ("/vnc/a%2Fb", "a/b"),
        ("/vnc/a%20b+c", "a b+c"), ("/vnc/a/", "a/"), ("/vnc/%2561", "%61"),
    ])
    func `a token is in the path`(target: String, token: String) {
        #expect(Self.decide(.path, target).admitted?.token == token)
    }

    @Test func `a path without a token is refused`() {
        #expect(Self.decide(.path, "/vnc/").refusal?.status == 404)
        #expect(Self.decide(.path, "/vnc/?token=a").refusal?.status == 404)
    }

    @Test func `a token is in a field`() {
        let place = TargetTokenPlace.header("X-Token")
        #expect(Self.decide(place, "/vnc", ["x-token": "a, b"]).admitted?.token == "a, b")
        #expect(Self.decide(place, "/vnc?token=a").refusal?.status == 404)
        #expect(Self.decide(place, "/vnc", ["X-Token": ""]).refusal?.status == 404)
        #expect(Self.decide(place, "/vnc", ["X-Token": "a", "X-TOKEN": "a"]).refusal?.status == 400)
    }

    @Test func `the other rules come first`() {
        let place = TargetTokenPlace.query("token")
        #expect(Self.decide(place, "/vnc?token=a", ["Origin": "https://other.example"]).refusal?.status == 403)
        #expect(Self.decide(place, "/vnc", ["Origin": "https://other.example"]).refusal?.status == 403)
    }

    // MARK: - What is shown

    @Test(arguments: [
        ("/vnc/secret", "/vnc/*"), ("/vn%63/secret", "/vnc/*"), ("/vnc/", "/vnc/*"), ("/vnc", "/vnc"),
        ("/other", "/other"),
        ("/./vnc/secret", "/*"), ("/vnc/secret%", "/*"),
    ])
    func `a path that may have a token is shown without it`(path: String, shown: String) {
        #expect(RouteTable(Self.configuration(.path)).withoutToken(path, on: nil) == shown)
        #expect(RouteTable(sampleConfiguration()).withoutToken(path, on: nil) == path)
    }

    @Test func `behind a route of every host and scheme there are no tokens`() {
        let configuration = Self.configuration(.path) {
            $0.backends["echo"] = BackendSettings(name: "echo", kind: .builtin(.echo))
            $0.routes[0].path = .subtree("/")
            $0.routes.insert(route(.subtree("/files/"), .backend("echo")), at: 0)
            $0.routes.insert(route(.subtree("/http/"), .backend("echo")) { $0.scheme = .http }, at: 1)
        }
        let routes = RouteTable(configuration)
        #expect(routes.withoutToken("/files/a", on: configuration.routes[0]) == "/files/a")
        #expect(routes.withoutToken("/http/a", on: configuration.routes[1]) == "/*")
        #expect(routes.withoutToken("/a", on: configuration.routes[2]) == "/*")
    }

    @Test func `what is not served is said without the token`() {
        var configuration = Self.configuration(.path)
        configuration.routes[0].hosts = [.exact("other.example")]
        let head = RequestHead(method: "GET", target: "/vnc/secret", fields: upgradeFields())
        let decision = Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration))
        #expect(decision.refusal?.detail == "Nothing is served at /vnc/*.")
    }

    @Test(arguments: [
        (TargetTokenPlace.query("token"), "ws://a/vnc?x=1&token=secret", "ws://a/vnc?*"),
        (.path, "ws://a/vnc/secret?x", "ws://a/vnc/*?*"), (.path, "WS://a:8080/vnc/secret#secret", "WS://a:8080/vnc/*"),
    ])
    func `explain shows the endpoint, and not the token`(place: TargetTokenPlace, url: String, title: String) {
        func explain(_ address: Address?) -> Explanation {
            var surroundings = Explanation.Surroundings()
            surroundings.address = { token, _, tokens in
                #expect(token == "secret")
                #expect(tokens.path == "/etc/tokens")
                return address
            }
            return Explanation.explain(Self.configuration(place), url: url, by: surroundings)
        }
        let known = explain(.tcp(host: "desk", port: 5900))
        #expect(known.isServed)
        #expect(known.text.hasPrefix("\(title)\n"))
        #expect(known.text.contains("  backend      vnc: bridge, binary messages, by the tokens in /etc/tokens\n"))
        #expect(known.text.contains("  endpoint     desk:5900\n"))
        let unknown = explain(nil)
        #expect(!unknown.isServed)
        #expect(unknown.text.contains("  answer       404 Not Found: The token is unknown.\n"))
        #expect(!(known.text + unknown.text).contains("secret"))
    }
}
