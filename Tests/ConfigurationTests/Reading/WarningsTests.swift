import Testing

@testable import Configuration

/// What is allowed in a file, but probably not meant.
@Suite struct WarningsTests {
    /// The warnings, with their lines and columns. The first route is on line 3.
    private static func warnings(
        _ routes: [String],
        listeners: String = "{address: \"127.0.0.1:80\"}, {address: \"127.0.0.1:443\", tls: {self-signed: [a]}}",
        more: String = "trusted-proxies: []"
    ) throws -> [String] {
        let text = """
            listeners: [\(listeners)]
            routes:
            \(routes.map { "  - {\($0), answer: {text: a}}" }.joined(separator: "\n"))
            \(more)
            """
        return try GatewayConfiguration.reading(text).warnings.map { warning in
            "\(warning.position?.line ?? 0):\(warning.position?.column ?? 0): \(warning.message)"
        }
    }

    @Test func `a route that an earlier one leaves no request is warned of, at its path`() throws {
        #expect(
            try Self.warnings(["path: /a/*", "name: b, path: /a/b"]) == [
                "4:15: route `b` is never reached: route `/a/*` on line 3 takes all of its requests; move it up, or remove it"
            ])
    }

    @Test(arguments: [
        ["path: /a", "path: /a"], ["path: /*", "path: /a"], ["path: /*", "path: /"], ["path: /*", "path: /*"],
        ["path: /a/*", "path: /a/b/*"], ["path: /a/*", "path: /a/"],
        ["path: /*", "path: /a, hosts: [a.example]"], ["path: /*", "path: /a, scheme: https"],
        ["path: /a, hosts: [a.example]", "path: /a, hosts: [A.example]"],
        ["path: /a, hosts: [\"*.example\"]", "path: /a, hosts: [a.example]"],
        ["path: /a, hosts: [\"*.example\"]", "path: /a, hosts: [\"*.b.example\"]"],
        ["path: /a, hosts: [\"*.example\"]", "path: /a, hosts: [a.b.example, c.example]"],
        ["path: /a, scheme: https", "path: /a, scheme: https, hosts: [a.example]"],
        ["path: /*", "path: /a%2Fb, encoded-slashes: keep"],
    ])
    func `nothing reaches the last of these routes`(_ routes: [String]) throws {
        #expect(try Self.warnings(routes).map { $0.prefix(2) } == ["4:"])
    }

    @Test(arguments: [
        ["path: /a", "path: /b"], ["path: /a", "path: /a/*"], ["path: /a/*", "path: /a"],
        ["path: /a/b/*", "path: /a/*"],
        ["path: /ab/*", "path: /a/*"], ["path: /a", "path: /*"], ["path: /A", "path: /a"],
        ["path: /a, hosts: [a.example]", "path: /a"], ["path: /a, hosts: [a.example]", "path: /a, hosts: [b.example]"],
        ["path: /a, hosts: [a.example]", "path: /a, hosts: [a.example, b.example]"],
        ["path: /a, hosts: [\"*.example\"]", "path: /a, hosts: [example]"],
        ["path: /a, hosts: [\"*.a.example\"]", "path: /a, hosts: [\"*.example\"]"],
        ["path: /a, hosts: [\"*.example\"]", "path: /a, hosts: [aexample]"],
        ["path: /a, scheme: http", "path: /a"], ["path: /a, scheme: http", "path: /a, scheme: https"],
        ["path: /a, hosts: [a.example], scheme: http", "path: /a, hosts: [a.example]"],
    ])
    func `something reaches all of these routes`(_ routes: [String]) throws {
        #expect(try Self.warnings(routes) == [])
    }

    @Test func `several routes together can take all that a later one would get`() throws {
        let routes = ["name: a, path: /a, scheme: http", "name: b, path: /*, scheme: https", "name: c, path: /a"]
        #expect(
            try Self.warnings(routes) == [
                "5:15: route `c` is never reached: route `a` on line 3 and route `b` on line 4 take all of its requests; move it up, or remove it"
            ])
        let hosts = ["path: /*, hosts: [a.example]", "path: /a, hosts: [\"*.b.example\"]"]
        #expect(try Self.warnings(hosts + ["path: /a, hosts: [a.example, x.b.example]"]).count == 1)
        #expect(try Self.warnings(hosts + ["path: /a, hosts: [a.example, x.c.example]"]) == [])
    }

    @Test func `a scheme that no client comes by is warned of, unless a proxy can say so`() throws {
        let plain = "{address: \"127.0.0.1:80\"}"
        let secure = "{address: \"127.0.0.1:443\", tls: {self-signed: [a]}}"
        #expect(
            try Self.warnings(["name: a, path: /a, scheme: https"], listeners: plain) == [
                "3:15: route `a` is never reached: it is for https, no listener has `tls`, and there are no `trusted-proxies` that could say so"
            ])
        #expect(
            try Self.warnings(["name: a, path: /a, scheme: http"], listeners: secure) == [
                "3:15: route `a` is never reached: it is for http, every listener has `tls`, and there are no `trusted-proxies` that could say so"
            ])
        for proxies in ["[10.0.0.1]", "[unix]"] {
            let more = "trusted-proxies: \(proxies)"
            #expect(try Self.warnings(["path: /a, scheme: https"], listeners: plain, more: more) == [])
            #expect(try Self.warnings(["path: /a, scheme: http", "path: /a"], listeners: plain, more: more) == [])
        }
        #expect(try Self.warnings(["path: /a, scheme: http", "path: /a"], listeners: plain).count == 1)
    }

    @Test func `ten thousand routes do not make it slow`() throws {
        let routes = (0..<10_000).map { "path: /a\($0)/*, hosts: [h\($0 % 7).example]" }
        #expect(try Self.warnings(routes + ["path: /a9/b, hosts: [h2.example]"]).count == 1)
    }

    @Test func `a backend without a route is warned of, at its name`() throws {
        let more = "backends:\n  used: {builtin: echo}\n  beside: {builtin: echo}\n  idle: {builtin: clock}"
        let routes = ["path: /a"]
        let text = """
            listeners: [{address: "127.0.0.1:80"}]
            routes:
              - {path: /a, backend: used}
              - {path: /b/*, backend: beside, files: /srv}
            \(more)
            """
        let warnings = try GatewayConfiguration.reading(text).warnings
        #expect(
            warnings.map(\.description) == [
                "gateway.conf:8:3: no route leads to the backend `idle`: name it in one, or remove it"
            ])
        #expect(try Self.warnings(routes, more: more).count == 3)
    }

    @Test(arguments: [":443", "0.0.0.0:443", "10.0.0.1:443", "a.example:443", "[2001:db8::1]:443"])
    func `a certificate of its own making for other machines is warned of`(address: String) throws {
        let listeners = "{address: \"\(address)\", tls: {self-signed: [a]}}"
        #expect(
            try Self.warnings(["path: /a"], listeners: listeners) == [
                "1:\(33 + address.utf8.count): `self-signed` is for trials on this machine: others cannot verify it; use `certificates`"
            ])
        let proper = "{address: \"\(address)\", tls: {certificates: [{chain: c, key: k}]}}"
        #expect(try Self.warnings(["path: /a"], listeners: proper) == [])
    }

    @Test(arguments: ["127.0.0.1:443", "127.9.9.9:443", "[::1]:443", "localhost:443", "unix:/run/a.sock", "unix:@a"])
    func `one for this machine is not`(address: String) throws {
        #expect(
            try Self.warnings(["path: /a"], listeners: "{address: \"\(address)\", tls: {self-signed: [a]}}") == [])
    }
}
