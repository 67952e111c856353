import Configuration
import Testing

@testable import Admission

@Suite struct ExplanationTests {
    private func explain(_ url: String, origin: String? = nil, _ subprotocols: [String] = []) -> Explanation {
        Explanation.explain(sampleConfiguration(), url: url, origin: origin, subprotocols: subprotocols)
    }

    @Test func `explain follows a route to its endpoints`() {
        let explanation = self.explain(
            "wss://chat.example.com:8443/chat?x#y", origin: "https://chat.example.com", ["chat.v1", "chat.v2"])
        let expected = """
            wss://chat.example.com:8443/chat?*
              listener     127.0.0.1:8443 with TLS
              route        5: chat, /chat on chat.example.com, *.chat.example.com
              origin       allowed
              backend      chat: relay, round-robin
              endpoint     ws://127.0.0.1:3000
              subprotocol  the backend's choice of chat.v2, chat.v1
              answer       101 Switching Protocols

            """
        #expect(
            explanation
                == Explanation(
                    text: expected, isServed: true, status: 101, route: "chat", backend: "chat",
                    listener: "127.0.0.1:8443"))
    }

    @Test func `explain says an endpoint's share of the sessions`() {
        var configuration = sampleConfiguration()
        var many = TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 5901))
        many.weight = 3
        var spare = TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 5902))
        spare.backup = true
        configuration.backends["vnc"]?.kind = .tcp([many, spare], message: .binary)
        let text = Explanation.explain(configuration, url: "ws://localhost:8080/vnc").text
        #expect(text.contains("  endpoint     127.0.0.1:5901, weight 3\n  endpoint     127.0.0.1:5902, backup\n"))
    }

    /// The lines between backend and subprotocol for a backend with this `balance`.
    private func placement(
        _ balance: Balance, url: String = "ws://example.com:8080/relay?room=1",
        more: [(name: String, value: String)] = [], _ change: (inout BackendSettings) -> Void = { _ in }
    ) throws -> String {
        var configuration = sampleConfiguration()
        var backend = try #require(configuration.backends["chat"])
        backend.balance = balance
        change(&backend)
        configuration.backends["chat"] = backend
        let text = Explanation.explain(configuration, url: url, more: more).text
        let start = try #require(text.firstRange(of: "  backend ")).lowerBound
        return String(text[start...].prefix(upTo: try #require(text.firstRange(of: "  subprotocol")).lowerBound))
    }

    @Test func `explain says by what of a request its endpoint is chosen, and shows no secret`() throws {
        #expect(
            try self.placement(.hashQuery("room")) == """
                  backend      chat: relay, hash-query:room
                  endpoint     ws://127.0.0.1:3000
                  placed       by the query's room

                """)
        let secret = [(name: "X-Key", value: "s3cret"), (name: "Cookie", value: "sid=s3cret; sid=2")]
        let byField = try self.placement(.hashHeader("X-Key"), more: secret)
        #expect(byField.hasSuffix("  placed       by the field X-Key\n"))
        let twice = try self.placement(.hashCookie("sid"), more: secret)
        #expect(twice.hasSuffix("  placed       round-robin: the cookie sid is absent, empty or repeated\n"))
        #expect(!(byField + twice).contains("s3cret"))
    }

    @Test func `explain shows the cookie as this client would get it`() throws {
        #expect(
            try self.placement(.cookie) == """
                  backend      chat: relay, cookie
                  endpoint     ws://127.0.0.1:3000
                  cookie       gateway-chat=…; Path=/; HttpOnly; SameSite=Lax

                """)
        let secure = try self.placement(.cookie, url: "wss://example.com:8443/relay") {
            $0.cookie.sameSite = .none
            $0.cookie.key = "s3cret"
        }
        #expect(secure.hasSuffix("  cookie       gateway-chat=…; Path=/; HttpOnly; SameSite=None; Secure\n"))
        #expect(!secure.contains("s3cret"))
    }

    @Test func `explain says what an endpoint with a star is asked for`() throws {
        var configuration = sampleConfiguration()
        let address = Address.unix(path: "/run/app.sock")
        configuration.backends["chat"]?.kind = .websocket([
            WebSocketEndpoint(address: address, tls: false, authority: "localhost", path: .below("/base/"))
        ])
        configuration.routes = [route(.subtree("/app/"), .backend("chat"))]
        let text = Explanation.explain(configuration, url: "ws://localhost:8080/app/x/y?q").text
        #expect(text.contains("  endpoint     ws+unix:/run/app.sock:/base/*, asked for /base/x/y?*\n"))
    }

    @Test func `explain names a refusal with its cure`() {
        let explanation = self.explain("ws://example.com/relay", origin: "https://evil.example")
        let expected = """
            ws://example.com/relay
              listener     no listener on port 80; the rest assumes that something forwards it to one
              route        6: /relay
              answer       403 Forbidden: The Origin https://evil.example is not allowed here: the request is for http://example.com.
              cure         List it, with the route's own origin, in `origins`.

            """
        #expect(
            explanation
                == Explanation(
                    text: expected, isServed: false, status: 403,
                    reason:
                        "The Origin https://evil.example is not allowed here: the request is for http://example.com.",
                    cure: "List it, with the route's own origin, in `origins`.", route: "/relay"))
    }

    @Test func `explain follows plain requests`() {
        var configuration = sampleConfiguration()
        configuration.routes = [
            route(.subtree("/"), .redirect(RedirectSettings(to: .https))) { $0.scheme = .http },
            route(.subtree("/app/"), .backend("chat")) { $0.http = .pass },
            route(.exact("/alive"), .answer(AnswerSettings())),
        ]
        func explain(_ url: String, _ method: String = "GET") -> Explanation {
            Explanation.explain(configuration, url: url, method: method)
        }
        let redirected = """
            http://localhost:8080/a?*
              listener     127.0.0.1:8080
              route        1: /*, by http only
              location     https://localhost/a?*
              answer       308 Permanent Redirect

            """
        #expect(
            explain("http://localhost:8080/a?b")
                == Explanation(
                    text: redirected, isServed: true, status: 308, route: "/*", listener: "127.0.0.1:8080"))
        let passed = """
            https://localhost:8443/app/x
              listener     127.0.0.1:8443 with TLS
              route        2: /app/*
              backend      chat: relay, round-robin
              endpoint     ws://127.0.0.1:3000
              answer       the backend's: the request is passed on

            """
        #expect(
            explain("https://localhost:8443/app/x", "POST")
                == Explanation(
                    text: passed, isServed: true, route: "/app/*", backend: "chat", listener: "127.0.0.1:8443"))
        #expect(explain("wss://localhost:8443/app/x").text.hasSuffix("  answer       101 Switching Protocols\n"))
        #expect(explain("https://localhost:8443/alive").isServed)
        #expect(!explain("wss://localhost:8443/alive").isServed)
        #expect(
            explain("https://localhost:8443/alive", "TRACE").text.contains("  answer       405 Method Not Allowed: "))
        #expect(explain("https://localhost:8443/alive", "A B").text.contains("  answer       400 Bad Request: "))
    }

    private func explain(
        _ url: String, origin: String, more: [(name: String, value: String)], from peer: Explanation.Peer,
        trusting trusted: TrustedProxies
    ) -> Explanation {
        var configuration = sampleConfiguration()
        configuration.trustedProxies = trusted
        return Explanation.explain(configuration, url: url, origin: origin, more: more, from: peer)
    }

    @Test func `explain says whether a proxy's fields are believed`() {
        let more = [
            ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example"), ("X-Forwarded-For", "203.0.113.7"),
        ]
        let trusted = TrustedProxies(networks: [IPNetwork("10.0.0.0/8")!], unix: true)
        let url = "ws://localhost:8080/relay"
        for peer in [Explanation.Peer.anyone, .address(IPAddress("192.0.2.1")!)] {
            let ignored = self.explain(url, origin: "https://a.example", more: more, from: peer, trusting: trusted)
            #expect(!ignored.isServed)
            let answer = """
                  answer       403 Forbidden: The Origin https://a.example is not allowed here: the request is for \
                http://localhost:8080; X-Forwarded-Proto and X-Forwarded-Host were ignored because the peer is not in `trusted-proxies`.
                  cure         If the peer is your proxy, add its address to `trusted-proxies` (`unix` for a Unix socket).

                """
            #expect(ignored.text.hasSuffix(answer))
        }
        for peer in [Explanation.Peer.unix, .address(IPAddress("10.0.0.9")!)] {
            let believed = self.explain(url, origin: "https://a.example", more: more, from: peer, trusting: trusted)
            #expect(believed.isServed)
            #expect(believed.text.contains("  client       203.0.113.7\n  asks for     https://a.example\n"))
            let nowhere = self.explain(
                "ws://localhost:8080/chat", origin: "https://a.example", more: more, from: peer, trusting: trusted)
            #expect(nowhere.text.contains("Add a route for a.example; there are: "))
        }
    }

    @Test(arguments: [
        ("wss://localhost:8080/echo", "none: 127.0.0.1:8080 is without TLS: use ws or http"),
        ("ws://localhost:8443/echo", "none: 127.0.0.1:8443 is with TLS: use wss or https"),
        ("wss://localhost:8080/nowhere", "none: 127.0.0.1:8080 is without TLS: use ws or http"),
        ("https://localhost:8080/", "none: 127.0.0.1:8080 is without TLS: use ws or http"),
    ])
    func `a listener with the wrong kind of TLS decides the answer`(_ url: String, _ answer: String) {
        let explanation = self.explain(url)
        #expect(!explanation.isServed)
        #expect(explanation.text.hasSuffix("  answer       \(answer)\n"))
        #expect(!explanation.text.contains("101"))
    }

    @Test(arguments: [
        ("ws://localhost:8080/echo", true, "built-in echo"),
        ("ws://localhost:8080/broadcast/a", true, "built-in broadcast"),
        ("ws://localhost:8080/vnc", true, "bridge, binary messages, round-robin"),
        ("ws://localhost:8080/vnc", true, "127.0.0.1:5900"), ("https://localhost:8443", true, "200 OK"),
        ("ws://localhost:8080/", false, "The route serves the page console"),
        ("http://localhost:8080/echo", false, "426 Upgrade Required"),
        ("ws://localhost:8080/nowhere", false, "Add a route for localhost; there are: /, /echo"),
        ("ws://localhost:8080/broadcast", false, "at /broadcast: `/broadcast/*` does not take it."),
        ("ws://localhost:8080/broadcast", false, "cure         Add a route with the path `/broadcast`."),
        ("ws://localhost:8080/echo/", false, "at /echo/: `/echo` does not take it."),
        ("wss://localhost:8080/echo", false, "without TLS: use ws or http"),
        ("ws://localhost:8443/echo", false, "with TLS: use wss or https"),
        ("ws://localhost:8080/clock", false, "Name one with --origin"),
        ("ws://localhost:8080/a/../b", false, "400 Bad Request"),
        ("ftp://localhost/", false, "not a ws://"), ("localhost", false, "not a ws://"),
        ("ws://a b/", false, "not a ws://"),
        ("ws://localhost:8080?x", false, "200 OK: not a WebSocket address"),
        ("ws://localhost:8080/broadcast/a%2Fb", false, "Let the route have `encoded-slashes: keep`."),
        ("ws://localhost:8080/mqtt", false, "Offer one."),
        ("ws://chat.example.com:8080/chat", false, "Offer one of: chat.v2, chat.v1."),
    ])
    func `explain says what would happen`(_ url: String, _ isServed: Bool, _ part: String) {
        let explanation = self.explain(url)
        #expect(explanation.isServed == isServed)
        #expect(explanation.text.contains(part))
    }

    @Test func `an Origin may be any field of the request`() {
        func explain(_ path: String, _ origin: String) -> String {
            Explanation.explain(
                sampleConfiguration(), url: "ws://localhost:8080\(path)", more: [("origin", origin)]
            ).text
        }
        #expect(explain("/clock", "http://localhost:8080").contains("  origin       allowed\n"))
        let cure = "  cure         List it, with the route's own origin, in `origins`.\n"
        #expect(explain("/clock", "http://evil.example").hasSuffix(cure))
    }

    @Test(arguments: [
        ("a", "b c", [], "400 Bad Request: Malformed request: "),
        ("é", "", [], "400 Bad Request: Malformed request: "),
        ("", "", [("X-A", "b\r\nX-C: d")], "400 Bad Request: Malformed request: a line break in a field."),
        ("", "", [("X-A", "b\r\n\r\n")], "400 Bad Request: Malformed request: a line break in a field."),
        ("", "", [("X-A", "b\nc")], "400 Bad Request: Malformed request: "),
        ("", "", [("X(A", "b")], "400 Bad Request: Malformed request: "),
        ("", "", [("X-A", String(repeating: "b", count: 20_000))], "431 Request Header Fields Too Large: "),
        ("a", "b%20c", [("X-A", "b")], "101 Switching Protocols"),
    ])
    func `explain reads the head as a listener does`(
        _ name: String, _ value: String, _ more: [(name: String, value: String)], _ answer: String
    ) {
        let explanation = Explanation.explain(
            sampleConfiguration(), url: "ws://localhost:8080/echo?\(name)=\(value)", more: more)
        #expect(explanation.isServed == answer.hasPrefix("101"))
        #expect(explanation.text.contains("  answer       \(answer)"))
    }

    private func explain(_ url: String, endpoints: [String]) -> Explanation {
        var known = Explanation.Surroundings()
        known.endpoints = { name in
            name == "chat" ? endpoints.map { Explanation.Endpoint(name: "ws://127.0.0.1:3000", state: $0) } : []
        }
        known.verifiesPasswords = false
        return Explanation.explain(sampleConfiguration(), url: url, subprotocols: ["chat.v1"], by: known)
    }

    @Test func `where the state of endpoints is known, one has to be up`() {
        let url = "ws://chat.example.com:8443/chat"
        let secure = "wss://chat.example.com:8443/chat"
        let up = self.explain(secure, endpoints: ["up"])
        #expect(up.isServed && up.status == 101 && up.endpoints.map(\.state) == ["up"])
        #expect(up.text.contains("  endpoint     ws://127.0.0.1:3000, up\n"))
        for state in ["down", "draining"] {
            let down = self.explain(secure, endpoints: [state])
            #expect(!down.isServed && down.status == 503 && down.reason == "No endpoint of the backend is up.")
            #expect(down.text.contains("  endpoint     ws://127.0.0.1:3000, \(state)\n"))
            #expect(down.text.contains("  answer       503 Service Unavailable: No endpoint of the backend is up.\n"))
        }
        #expect(self.explain(secure, endpoints: ["down"]).cure?.contains("up by itself once it answers") == true)
        // The listener is what stands in the way.
        let plain = self.explain(url, endpoints: ["down"])
        #expect(!plain.isServed && plain.status == nil)
        #expect(plain.reason?.hasSuffix("is with TLS: use wss or https") == true)
    }

    private func explain(
        _ endpoint: Explanation.Endpoint, _ last: Explanation.LastRefusal? = nil, port: Int = 8443
    ) -> Explanation {
        var known = Explanation.Surroundings()
        known.endpoints = { $0 == "chat" ? [endpoint] : [] }
        known.lastRefusal = { $0 == "chat" ? last : nil }
        return Explanation.explain(
            sampleConfiguration(), url: "wss://chat.example.com:\(port)/chat", subprotocols: ["chat.v1"], by: known)
    }

    @Test func `an endpoint that nothing checks is not said to be up`() {
        let name = "ws://127.0.0.1:3000"
        let unknown = self.explain(.init(name: name, state: "up", isChecked: false))
        #expect(unknown.isServed && unknown.text.contains("  endpoint     \(name), not checked\n"))
        #expect(unknown.cure?.contains("set `health`") == true)
        let checked = self.explain(.init(name: name, state: "up"))
        #expect(checked.isServed && checked.cure == nil && checked.lastRefusal == nil)
    }

    @Test func `what a client got lately is told beside what the rules say`() {
        let last = Explanation.LastRefusal(at: "2026-11-29T19:23:02Z", status: 502, reason: "Connection refused")
        let explanation = self.explain(.init(name: "ws://127.0.0.1:3000", state: "up", isChecked: false), last)
        #expect(explanation.isServed && explanation.lastRefusal == last)
        #expect(explanation.text.contains("got 502 at 2026-11-29T19:23:02Z: Connection refused\n"))
    }

    @Test func `an endpoint that is down says why, and what helps`() {
        let name = "ws://127.0.0.1:3000"
        let down = self.explain(.init(name: name, state: "down", reason: "check: Connection refused"))
        #expect(!down.isServed && down.status == 503)
        #expect(down.text.contains("  endpoint     \(name), down: check: Connection refused\n"))
        #expect(down.cure?.contains("once it answers") == true)
        let ordered = self.explain(
            .init(name: name, state: "down", reason: "an operator took it down", isOrdered: true))
        #expect(ordered.cure?.contains("An operator has taken them out") == true)
    }

    @Test func `a port without a listener is a fact of its own`() {
        let endpoint = Explanation.Endpoint(name: "ws://127.0.0.1:3000", state: "up")
        #expect(self.explain(endpoint).listener?.hasSuffix(":8443") == true)
        #expect(self.explain(endpoint, port: 9999).listener == nil)
    }

    @Test func `a credential is not shown`() {
        let relayed = self.explain("ws://localhost:8080/relay", ["bearer.secret", "v5.channel.k8s.io"])
        #expect(
            relayed.text.contains(
                "  subprotocol  the backend's choice of v5.channel.k8s.io; a credential is passed on\n"))
        let alone = self.explain("ws://localhost:8080/relay", ["base64url.bearer.authorization.k8s.io.secret"])
        #expect(alone.text.contains("  subprotocol  none; a credential is passed on\n"))
        #expect(!(relayed.text + alone.text).contains("secret"))
    }

    @Test func `the clock of the sample configuration demands an Origin`() {
        let clock = self.explain("ws://localhost:8080/clock", origin: "http://localhost:8080")
        #expect(clock.isServed)
        #expect(clock.text.contains("  backend      clock: built-in clock, every 1s\n"))
        let other = self.explain("ws://chat.example.com/chat", origin: "http://x", ["chat.v1"])
        #expect(other.text.contains("`origins` of the route are [https://chat.example.com].\n"))
        #expect(other.text.hasSuffix("  cure         Add it to `origins` of the route.\n"))
        #expect(self.explain("ws://localhost:8080/vnc", ["base64", "binary"]).text.contains("subprotocol  binary"))
        #expect(self.explain("ws://localhost:8080/relay").text.contains("subprotocol  none"))
    }
}
