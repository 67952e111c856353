import Testing

@testable import Configuration

/// What `auth` of a route becomes, and what is warned of.
struct AuthReaderTests {
    private static func auth(_ text: String, defaults: String = "{}") throws -> [AuthSettings] {
        try RouteSettings.reading(defaults: defaults, route: "auth: \(text)").auth
    }

    @Test func `a token's rules have their defaults`() throws {
        let auth = try Self.auth("{jwt: {keys: /etc/keys.json, algorithms: [ES256], audience: any}}")
        let expected = JWTSettings(keys: .file("/etc/keys.json"), algorithms: [.es256], audience: .any)
        #expect(auth == [.jwt(expected)])
        #expect(expected.leeway == .seconds(30))
        #expect(expected.expires == .required)
        #expect(expected.token == [.header])
        #expect(expected.issuers.isEmpty && expected.requirements.isEmpty && expected.send.isEmpty)
    }

    @Test func `all that is said of tokens is read`() throws {
        let auth = try Self.auth(
            """
            {jwt: {keys: "https://login.example.com/keys?a=1", tls: {ca: ca.pem}, algorithms: [EdDSA, PS512],
                issuer: ["https://a", b], audience: [c, d], leeway: 0s, expires: optional,
                require: {scope: chat, level: 5, verified: true},
                token: [subprotocol, "cookie:session", "query:access token", header],
                send: {X-User: sub, X-Role: "https://example.com/role"}}}
            """.replacing("access token", with: "access_token"))
        var expected = JWTSettings(
            keys: .url(try WebURL(parsing: "https://login.example.com/keys?a=1"), ca: "ca.pem"),
            algorithms: [.edDSA, .ps512],
            audience: .oneOf(["c", "d"]))
        expected.issuers = ["https://a", "b"]
        expected.leeway = .zero
        expected.expires = .optional
        expected.requirements = [
            .init(claim: "scope", value: "chat"), .init(claim: "level", value: "5"),
            .init(claim: "verified", value: "true"),
        ]
        expected.token = [.subprotocol, .cookie("session"), .query("access_token"), .header]
        expected.send = [
            SentField(name: "X-User", source: "sub"), SentField(name: "X-Role", source: "https://example.com/role"),
        ]
        #expect(auth == [.jwt(expected)])
    }

    @Test func `the other kinds are read, and several are a list`() throws {
        let auth = try Self.auth(
            """
            [{basic: {file: users, realm: chat, send: {X-User: user}}},
             {certificate: {names: [a.example.com, "*.b.example.com", "spiffe://c/d", Device 1],
                            send: {X-Client: subject, X-Name: name}}},
             {forward: {url: "http://127.0.0.1:9091/api", send: [Remote-User], again: 5m}}]
            """)
        var basic = BasicSettings(file: "users")
        basic.realm = "chat"
        basic.send = [SentField(name: "X-User", source: .user)]
        var certificate = CertificateSettings()
        certificate.names = [
            .host(.exact("a.example.com")), .host(.subdomains(of: "b.example.com")), .text("spiffe://c/d"),
            .text("Device 1"),
        ]
        certificate.send = [
            SentField(name: "X-Client", source: .subject), SentField(name: "X-Name", source: .name),
        ]
        var forward = ForwardSettings(url: try WebURL(parsing: "http://127.0.0.1:9091/api"))
        forward.send = ["Remote-User"]
        forward.again = .seconds(300)
        #expect(auth == [.basic(basic), .certificate(certificate), .forward(forward)])
        #expect(auth.map(\.sentFields) == [["X-User"], ["X-Client", "X-Name"], ["Remote-User"]])
    }

    @Test func `a route inherits, replaces or switches off what defaults say`() throws {
        let defaults = "{auth: {basic: {file: users}}}"
        let basic = [AuthSettings.basic(BasicSettings(file: "users"))]
        #expect(try RouteSettings.reading(defaults: defaults, route: "name: a").auth == basic)
        #expect(try Self.auth("off", defaults: defaults).isEmpty)
        #expect(try Self.auth("{certificate: {}}", defaults: defaults) == [.certificate(CertificateSettings())])
        #expect(try RouteSettings.reading(route: "name: a").auth.isEmpty)
    }

    @Test(arguments: [
        ("https://a", true, "a", 443, "/"), ("http://a:81/b?c=d", false, "a", 81, "/b?c=d"),
        ("HTTPS://[::1]:8443/", true, "::1", 8443, "/"),
    ])
    func `URLs of services have a host, a port and a target`(
        text: String, tls: Bool, host: String, port: UInt16, target: String
    ) throws {
        let url = try WebURL(parsing: text)
        #expect(url.tls == tls)
        #expect(url.address == .tcp(host: host, port: port))
        #expect(url.target == target)
    }

    @Test(arguments: [
        ("backend: b, sign-in: \"https://login.example/\"", "`sign-in` needs `auth`: without it everyone is let in"),
        (
            "backend: b, auth: {basic: {file: u}}, sign-in: login.example",
            "`sign-in` must be a URL such as `https://login.example.com/keys`, not `login.example`: it must start with `https://` or `http://`"
        ),
        (
            "redirect: \"https://a.example\", auth: {basic: {file: u}}",
            "`auth` has no effect on a redirect route, which asks for no credential: remove it"
        ),
        ("backend: b, listen-only: true", "`listen-only` is for a `builtin: broadcast` backend: leave it out"),
    ])
    func `rules of who may come in are refused where they have no effect`(route: String, mistake: String) throws {
        let failure = #expect(throws: ConfigurationReader.Failure.self) { try Self.warnings(route) }
        #expect(failure?.diagnostics.map(\.message) == [mistake])
    }

    /// No request could show both: the credential is taken out of the query first.
    @Test(arguments: [
        ("{tokens: /t}", "token", true), ("{tokens: /t, token: \"query:a\"}", "a", true),
        ("{tokens: /t, token: \"query:a\"}", "A", false), ("{tokens: /t, token: \"query:a\"}", "token", false),
        ("{tokens: /t, token: \"header:token\"}", "token", false),
        ("{websocket: [\"ws://a\"], balance: \"hash-query:user\"}", "user", true),
        ("{websocket: [\"ws://a\"], balance: \"hash-cookie:user\"}", "user", false),
    ])
    func `a token that lets in cannot choose the endpoint, too`(backend: String, name: String, isLost: Bool) throws {
        let auth = "auth: {jwt: {\(Self.jwt), token: [header, \"query:\(name)\"]}}"
        for (route, defaults) in [(", \(auth)", "{}"), ("", "{\(auth)}")] {
            let text = """
                listeners: [{address: "127.0.0.1:80"}]
                defaults: \(defaults)
                routes: [{path: /a, backend: b\(route)}]
                backends: {b: \(backend)}
                """
            let read = Result { try GatewayConfiguration.reading(text) }
            var found: [String] = []
            if case .failure(let failure as ConfigurationReader.Failure) = read {
                found = failure.diagnostics.map {
                    "\($0.position?.line ?? 0):\($0.position?.column ?? 0): \($0.message)"
                }
            }
            let mistake =
                "`backend` finds its endpoint by `query:\(name)`, which `auth` takes out as a credential: give one of them another name"
            #expect(found == (isLost ? ["3:21: \(mistake)"] : []))
        }
    }

    @Test func `certificates may be optional only where clients are asked for them`() throws {
        let listener = "{address: \"127.0.0.1:80\", tls: {self-signed: [a], client-auth: optional}}"
        let failure = #expect(throws: ConfigurationReader.Failure.self) {
            try Self.warnings("backend: b", listener: listener)
        }
        #expect(
            failure?.diagnostics.map(\.message)
                == ["`client-auth` needs `client-ca`, the authorities of the certificates"])
    }

    // MARK: - Warnings

    private static func warnings(
        _ route: String, defaults: String = "{}",
        listener: String = "{address: \"127.0.0.1:80\", tls: {self-signed: [a], client-ca: ca.pem}}"
    ) throws -> [String] {
        let text = """
            listeners: [\(listener)]
            defaults: \(defaults)
            routes:
              - {path: /chat, \(route)}
            backends: {b: {builtin: echo}}
            """
        return try GatewayConfiguration.reading(text).warnings.map { warning in
            "\(warning.position?.line ?? 0):\(warning.position?.column ?? 0): \(warning.message)"
        }
    }

    private static let jwt = "keys: k, algorithms: [ES256], audience: any"

    @Test func `tokens in URLs are warned of, at their place`() throws {
        #expect(
            try Self.warnings("backend: b, auth: {jwt: {\(Self.jwt), token: [header, \"query:token\"]}}") == [
                "4:105: `query:token` takes tokens from URLs, which browsers and other servers keep in histories and logs"
            ])
    }

    @Test(arguments: [
        "jwt: {\(jwt), token: [header, \"cookie:session\"]}", "basic: {file: f}", "forward: {url: \"http://a\"}",
        "certificate: {}",
    ])
    func `pages of all origins may not use what browsers send by themselves without a warning`(kind: String) throws {
        let warning =
            "`origins: any` lets every page use the credential of its visitor, which browsers add by themselves: list the origins"
        #expect(
            try Self.warnings("backend: b, origins: any, auth: {\(kind)}") == [
                "4:31: \(warning)"
            ])
        #expect(try Self.warnings("backend: b, auth: {\(kind)}").isEmpty)
        // Where both are inherited the route is the place.
        let inherited = try Self.warnings("backend: b", defaults: "{origins: any, auth: {\(kind)}}")
        #expect(inherited.count == 1 && inherited[0] == "4:5: \(warning)")
    }

    @Test func `a token that only its page sends may come from any origin`() throws {
        #expect(
            try Self.warnings("backend: b, origins: any, auth: {jwt: {\(Self.jwt), token: [header, subprotocol]}}")
                .isEmpty)
    }

    @Test(arguments: ["{address: \":80\"}", "{address: \"10.0.0.1:80\"}", "{address: \"a.example:80\"}"])
    func `passwords on a listener without TLS are warned of`(listener: String) throws {
        let address = listener.split(separator: "\"")[1]
        #expect(
            try Self.warnings("backend: b, auth: {basic: {file: f}}", listener: listener) == [
                "4:31: passwords for route `/chat` are readable on the way to listener `\(address)`, which has no `tls`: add it, or `scheme: https`"
            ])
        let both = "\(listener), {address: \"127.0.0.1:443\", tls: {self-signed: [a]}}"
        #expect(try Self.warnings("backend: b, scheme: https, auth: {basic: {file: f}}", listener: both).isEmpty)
        #expect(try Self.warnings("backend: b, auth: {jwt: {\(Self.jwt)}}", listener: listener).isEmpty)
    }

    @Test(arguments: [
        "{address: \"127.8.0.1:80\"}", "{address: \"[::1]:80\"}", "{address: \"localhost:80\"}",
        "{address: \"unix:/run/a.sock\"}", "{address: \"unix:@a\"}",
        "{address: \":443\", tls: {certificates: [{chain: c, key: k}]}}",
    ])
    func `passwords on other listeners are not`(listener: String) throws {
        #expect(try Self.warnings("backend: b, auth: {basic: {file: f}}", listener: listener).isEmpty)
    }

    @Test func `certificates that no listener asks for are warned of`() throws {
        let listener = "{address: \":443\", tls: {certificates: [{chain: c, key: k}]}}"
        #expect(
            try Self.warnings("backend: b, auth: {certificate: {}}", listener: listener) == [
                "4:31: no client can show a certificate for route `/chat`: give a listener `tls` with `client-ca`"
            ])
        #expect(try Self.warnings("backend: b, auth: {certificate: {}}").isEmpty)
    }

    @Test func `a kind that never decides is warned of`() throws {
        let warning = "this entry of `auth` never decides: an earlier one takes the same credentials"
        #expect(
            try Self.warnings("backend: b, auth: [{jwt: {\(Self.jwt)}}, {jwt: {\(Self.jwt)}}]") == ["4:92: \(warning)"])
        #expect(
            try Self.warnings(
                "backend: b, auth: [{jwt: {\(Self.jwt)}}, {jwt: {\(Self.jwt), token: [header, subprotocol]}}]"
            ).isEmpty)
        #expect(
            try Self.warnings("backend: b, auth: [{basic: {file: a}}, {basic: {file: b}}]") == ["4:58: \(warning)"])
    }
}
