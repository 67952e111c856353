import HTTP1
import Testing

@testable import Admin

@Suite struct RequestGuardTests {
    private func status(
        _ method: String, _ fields: HTTPFields, isUnixSocket: Bool = false
    ) -> Int? {
        let requestGuard = RequestGuard(hosts: ["gateway.internal"], isUnixSocket: isUnixSocket)
        return requestGuard.refusal(of: AdminRequest(method: method, target: "/", fields: fields))?.status
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9901", "[::1]", "[::1]:9901", "192.0.2.7", "[2001:DB8::1]", "localhost",
        "LOCALHOST:9901",
        "localhost.", "gateway.internal", "Gateway.Internal.:80",
    ])
    func `it answers to IP addresses and its names`(_ host: String) {
        #expect(self.status("GET", ["Host": host]) == nil)
        #expect(self.status("POST", ["Host": host]) == nil)
    }

    @Test(arguments: [
        "evil.example", "evil.example:9901", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost",
        "sub.gateway.internal", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "::1", "[::1", "[::1%25lo]",
        "user@localhost",
        "localhost:0x50", "localhost:99999", "", "local host",
    ])
    func `it answers to no other Host`(_ host: String) {
        #expect(self.status("GET", ["Host": host]) == 421)
        #expect(self.status("POST", ["Host": host, "Origin": "http://\(host)"]) == 421)
        #expect(self.status("GET", ["Host": host], isUnixSocket: true) == nil)
    }

    @Test func `a request needs exactly one Host that is allowed`() {
        #expect(self.status("GET", [:]) == 400)
        #expect(self.status("GET", ["Host": "localhost", "host": "localhost"]) == 400)
        #expect(self.status("GET", [:], isUnixSocket: true) == nil)
        #expect(self.status("GET", ["Host": "a", "host": "a"], isUnixSocket: true) == 400)
    }

    @Test func `a page of another site may read nothing by a WebSocket`() {
        let upgrade: HTTPFields = ["Host": "localhost:9", "Upgrade": "h2c, WebSocket", "Connection": "Upgrade"]
        func status(_ origins: String...) -> Int? {
            var fields = upgrade
            for origin in origins { fields.append("Origin", origin) }
            return self.status("GET", fields)
        }
        #expect(status() == nil)
        #expect(status("http://localhost:9") == nil)
        #expect(status("https://localhost:9") == nil)
        #expect(status("http://localhost") == 403)
        #expect(status("http://evil.example") == 403)
        #expect(status("null") == 403)
        #expect(status("http://localhost:9", "http://localhost:9") == 400)
        #expect(self.status("GET", ["Host": "localhost:9", "Origin": "http://evil.example"]) == nil)
    }

    @Test(arguments: [
        ("GET", "/healthz", true), ("GET", "/readyz", true), ("HEAD", "/readyz", true), ("GET", "/metrics", true),
        ("GET", "/metrics?x", true), ("OPTIONS", "/", true), ("GET", "/", false), ("GET", "/api/sessions", false),
        ("POST", "/readyz", false), ("POST", "/api/drain", false), ("OPTIONS", "/readyz", false),
    ])
    func `a request of HTTP 1.0 needs no Host`(_ method: String, _ target: String, _ passes: Bool) {
        let requestGuard = RequestGuard(hosts: [], isUnixSocket: false)
        func status(_ version: HTTPVersion, _ fields: HTTPFields) -> Int? {
            requestGuard.refusal(of: AdminRequest(method: method, target: target, version: version, fields: fields))?
                .status
        }
        #expect(status(.http10, [:]) == (passes ? nil : 400))
        #expect(status(.http11, [:]) == 400)
        // A Host that is there is checked.
        #expect(status(.http10, ["Host": "evil.example"]) == 421)
        #expect(status(.http10, ["Host": "localhost:"]) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:9901", "http://127.0.0.1:9901"),
        ("localhost:9901", "http://LOCALHOST:9901"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost", "https://localhost"),
        ("gateway.internal", "https://gateway.internal:443"),
        ("[::1]:9901", "http://[::1]:9901"),
    ])
    func `a page of its own origin may post`(_ host: String, _ origin: String) {
        #expect(self.status("POST", ["Host": host, "Origin": origin]) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:9901", "http://evil.example"),
        ("127.0.0.1:9901", "http://127.0.0.1"),
        ("127.0.0.1:9901", "http://127.0.0.1:8080"),
        ("127.0.0.1:9901", "http://localhost:9901"),
        ("127.0.0.1", "http://127.0.0.1:443"),
        ("127.0.0.1:9901", "null"),
        ("127.0.0.1:9901", ""),
        ("127.0.0.1", "http://127.0.0.1:"),
        ("127.0.0.1:9901", "127.0.0.1:9901"),
        ("127.0.0.1:9901", "file://127.0.0.1:9901"),
        ("127.0.0.1:9901", "http://127.0.0.1:9901/"),
        ("127.0.0.1:9901", "http://127.0.0.1:9901@evil.example"),
        ("127.0.0.1:9901", "http://127.0.0.1:9901 http://evil.example"),
    ])
    func `a page of another origin may not post`(_ host: String, _ origin: String) {
        #expect(self.status("POST", ["Host": host, "Origin": origin]) == 403)
        #expect(self.status("POST", ["Host": host, "Origin": origin], isUnixSocket: true) == 403)
        #expect(self.status("OPTIONS", ["Host": host, "Origin": origin]) == 403)
        // Reading is permitted, because the browser does not show the answer to the page.
        #expect(self.status("GET", ["Host": host, "Origin": origin]) == nil)
    }

    @Test func `a request may have at most one Origin`() {
        let origin = "http://127.0.0.1"
        #expect(self.status("POST", ["Host": "127.0.0.1", "Origin": origin, "origin": origin]) == 400)
    }
}
