import Configuration
import HTTP1
import Testing

@testable import Admission

/// `allow` of routes, by the client's address.
@Suite struct AllowTests {
    private static func configuration() -> GatewayConfiguration {
        var configuration = sampleConfiguration()
        configuration.trustedProxies = TrustedProxies(networks: [IPNetwork("10.0.0.9")!], unix: true)
        let answer = RouteSettings.Action.answer(AnswerSettings())
        let redirect = RouteSettings.Action.redirect(RedirectSettings(to: .https))
        let actions: [(String, RouteSettings.Action)] = [
            ("/session", .backend("echo")), ("/page", .page(.console)), ("/answer", answer), ("/redirect", redirect),
            ("/files", .files(FilesSettings("/srv"), backend: nil)), ("/passed", .backend("chat")),
        ]
        configuration.routes = actions.map { path, action in
            route(.exact(path), action) {
                $0.allow = [IPNetwork("192.0.2.0/24")!, IPNetwork("2001:db8::/32")!]
                $0.origins = .any
                if path == "/passed" { $0.http = .pass }
            }
        }
        return configuration
    }

    private func decide(
        _ path: String, from peer: String?, _ more: HTTPFields = [:], isUpgrade: Bool = false
    ) -> Admission.Decision {
        let configuration = Self.configuration()
        let arrival = Arrival(
            peer: peer.map { IPAddress($0)! }, listenerIsSecure: false, trustedProxies: configuration.trustedProxies)
        var fields: HTTPFields = isUpgrade ? upgradeFields() : ["Host": "example.com"]
        fields.append(more)
        let head = RequestHead(method: "GET", target: path, fields: fields)
        return Admission.decide(head, Hops(fields, arrival), RouteTable(configuration))
    }

    @Test(arguments: ["/page", "/answer", "/redirect", "/files", "/passed", "/session"])
    func `allow holds for all that a route serves`(path: String) {
        let isUpgrade = path == "/session"
        for client in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"] {
            #expect(status(self.decide(path, from: client, isUpgrade: isUpgrade)) < 400)
        }
        for client in ["192.0.3.7", "2001:db9::7", nil] {
            #expect(status(self.decide(path, from: client, isUpgrade: isUpgrade)) == 403)
        }
    }

    @Test func `the client is the one that a trusted proxy names`() {
        let field: HTTPFields = ["X-Forwarded-For": "192.0.2.7"]
        #expect(status(self.decide("/page", from: "10.0.0.9", field)) == 200)
        #expect(status(self.decide("/page", from: nil, field)) == 200)
        #expect(status(self.decide("/page", from: "10.0.0.9", ["X-Forwarded-For": "192.0.2.7, 203.0.113.9"])) == 403)
        #expect(status(self.decide("/page", from: "192.0.2.7", ["X-Forwarded-For": "203.0.113.9"])) == 200)
        #expect(status(self.decide("/page", from: "10.0.0.9")) == 403)
    }

    private static let rule = "`allow` of the route is [192.0.2.0/24, 2001:db8::/32]"

    @Test func `the log says by which rule an address is refused, and the client is not told`() throws {
        let refused = try #require(self.decide("/page", from: "203.0.113.9").refusal)
        #expect(refused.detail == "The address 203.0.113.9 is not let in here: \(Self.rule).")
        #expect(refused.kind == "The address … is not let in here: \(Self.rule).")
        #expect(
            refused.cure
                == "Add it to `allow` of the route. If it is your proxy's address, add it to `trusted-proxies` instead."
        )
        let answer = "The address 203.0.113.9 is not let in here. The route's `allow` decides.\n"
        #expect(text(refused.answer.body) == answer)
        let ignored = try #require(self.decide("/page", from: "203.0.113.9", ["X-Forwarded-For": "192.0.2.7"]).refusal)
        #expect(
            ignored.detail
                == "The address 203.0.113.9 is not let in here: \(Self.rule); X-Forwarded-For was ignored because the peer is not in `trusted-proxies`."
        )
        #expect(ignored.answer == refused.answer)
        let proxied = try #require(self.decide("/page", from: "10.0.0.9", ["X-Forwarded-For": "203.0.113.9"]).refusal)
        #expect(proxied.detail == refused.detail)
        #expect(proxied.cure == "Add it to `allow` of the route.")
    }

    @Test func `the log says by which rule a client without an address is refused`() throws {
        let unknown = try #require(self.decide("/page", from: nil).refusal)
        #expect(
            unknown.detail == "Only some addresses are let in here, and the client's is not known: \(Self.rule).")
        #expect(unknown.cure == "Have the proxy send X-Forwarded-For.")
        let body = "Only some addresses are let in here, and the client's is not known. The route's `allow` decides.\n"
        #expect(text(unknown.answer.body) == body)
    }

    // MARK: - explain

    private func explain(
        _ url: String = "http://127.0.0.1:8080/page", from peer: Explanation.Peer,
        _ change: (inout GatewayConfiguration) -> Void = { _ in }
    ) -> Explanation {
        var configuration = Self.configuration()
        change(&configuration)
        return Explanation.explain(configuration, url: url, from: peer)
    }

    @Test func `explain says whether an address is let in`() {
        #expect(self.explain(from: .address(IPAddress("192.0.2.7")!)).isServed)
        let refused = self.explain(from: .address(IPAddress("203.0.113.9")!))
        #expect(!refused.isServed)
        #expect(
            refused.text.hasSuffix(
                """
                  answer       403 Forbidden: The address 203.0.113.9 is not let in here: \(Self.rule).
                  cure         Add it to `allow` of the route. If it is your proxy's address, add it to `trusted-proxies` instead.

                """))
        let anyone = self.explain(from: .anyone)
        #expect(!anyone.isServed)
        let cure = "Name the client's address with --address, or what its proxy says with --header."
        #expect(anyone.text.hasSuffix("  cure         \(cure)\n"))
    }

    @Test func `explain knows that a listener closes the connection, and that a PROXY header comes before its rules`() {
        let client = Explanation.Peer.address(IPAddress("192.0.2.7")!)
        let closed = self.explain(from: client) { $0.listeners[0].allow = [IPNetwork("10.0.0.0/8")!] }
        #expect(!closed.isServed)
        #expect(
            closed.text.hasSuffix(
                "  answer       none: 127.0.0.1:8080 closes the connection, because its `allow` is [10.0.0.0/8], without 192.0.2.7\n"
            ))
        let proxied = self.explain(from: client) {
            $0.listeners[0].allow = [IPNetwork("10.0.0.0/8")!]
            $0.listeners[0].proxyProtocol = true
        }
        #expect(proxied.isServed)
        #expect(proxied.text.contains("  listener     127.0.0.1:8080, behind a proxy that sends PROXY headers\n"))
    }

    @Test func `explain says which PROXY header a backend gets`() {
        let text = self.explain("ws://127.0.0.1:8080/vnc", from: .anyone) {
            $0 = sampleConfiguration()
            $0.backends["vnc"]?.sendProxyProtocol = .v2
        }.text
        #expect(text.contains("  backend      vnc: bridge, binary messages, round-robin, PROXY header v2\n"))
    }
}
