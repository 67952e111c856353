import Configuration
import Foundation
import Testing

struct ConfigurationReaderTests {
    @Test func `listeners alone are enough, and everything else has its default`() throws {
        var expected = GatewayConfiguration()
        expected.listeners = [ListenerSettings(address: .tcp(host: "", port: 8080))]
        #expect(try GatewayConfiguration.reading("listeners: [{address: \":8080\"}]") == expected)
        #expect(try GatewayConfiguration.reading("\u{FEFF}listeners: [{address: \":8080\"}]") == expected)
        #expect(try GatewayConfiguration.reading("listeners:\r\n  - address: :8080\r\n") == expected)
    }

    @Test func `the keys at the top of the file are read`() throws {
        let configuration = try GatewayConfiguration.reading(
            """
            workers: 4
            names: {refresh: 5m}
            log: {format: json, level: debug, file: /var/log/gateway.log, requests: all}
            trusted-proxies: [10.0.0.0/8, unix, "::1"]
            listeners: [{address: ":80"}]
            """)
        #expect(configuration.workers == 4)
        #expect(configuration.names.refresh == .seconds(300))
        #expect(configuration.log.format == .json)
        #expect(configuration.log.level == .debug)
        #expect(configuration.log.requests == .all)
        #expect(configuration.log.file == "/var/log/gateway.log")
        #expect(
            configuration.trustedProxies
                == TrustedProxies(networks: ["10.0.0.0/8", "::1"].compactMap { IPNetwork($0) }, unix: true))
    }

    @Test func `listeners take TLS, Unix sockets and their permissions`() throws {
        let configuration = try GatewayConfiguration.reading(
            """
            listeners:
              - {address: "[0::1]:443", tls: {certificates: [{chain: a.pem, key: a.key}, {chain: b.pem, key: b.key}],
                 minimum: 1.3, client-ca: clients.pem}}
              - {address: LOCALHOST:8443, tls: {self-signed: [LocalHost, "*.example.com", "[::1]"]}}
              - {address: unix:/run/x.sock}
              - {address: unix:@x}
              - {address: unix:/run/y.sock, mode: "0660", group: www-data}
              - {address: unix:/run/z.sock, mode: 600}
            """)
        var files = ListenerSettings.TLS(
            identity: .files([
                CertificateFiles(chain: "a.pem", key: "a.key"), CertificateFiles(chain: "b.pem", key: "b.key"),
            ]))
        files.minimum = .tls13
        files.clientCA = "clients.pem"
        let selfSigned = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost", "*.example.com", "::1"]))
        #expect(
            configuration.listeners == [
                ListenerSettings(address: .tcp(host: "::1", port: 443), tls: files),
                ListenerSettings(address: .tcp(host: "localhost", port: 8443), tls: selfSigned),
                ListenerSettings(address: .unix(path: "/run/x.sock")),
                ListenerSettings(address: .abstract(name: "x")),
                Self.listener("/run/y.sock", FileAccessSettings(mode: 0o660, group: "www-data")),
                Self.listener("/run/z.sock", FileAccessSettings(mode: 0o600)),
            ])
        #expect(configuration.listeners[3].address.description == "unix:@x")
    }

    private static func listener(_ path: String, _ access: FileAccessSettings) -> ListenerSettings {
        var settings = ListenerSettings(address: .unix(path: path))
        settings.access = access
        return settings
    }

    // MARK: - Routes

    @Test func `a route takes every key`() throws {
        let route = try RouteSettings.reading(
            route: """
                name: chat, hosts: [Chat.Example.com., "*.example.com", "[::1]", 10.0.0.1], require-origin: true,
                  origins: ["https://App.example.com", "https://*.example.com:8443", "http://[::1]:3000", "capacitor://localhost"],
                  subprotocols: [chat.v2, chat.v1], require-subprotocol: true,
                  timeouts: {handshake: 1m, connect: 250ms, close: 1h, idle: 10m, session: 168h},
                  limits: {message: 0, backend-message: 64KiB, fragments: 0, backend-fragments: 7, queue: 65536}
                """)
        #expect(route.name == "chat")
        #expect(
            route.hosts == [
                .exact("chat.example.com"), .subdomains(of: "example.com"), .exact("::1"), .exact("10.0.0.1"),
            ])
        #expect(route.hosts.map(\.description) == ["chat.example.com", "*.example.com", "::1", "10.0.0.1"])
        #expect(route.requireOrigin)
        let origins = [
            OriginPattern(scheme: "https", host: .exact("app.example.com"), port: 443),
            OriginPattern(scheme: "https", host: .subdomains(of: "example.com"), port: 8443),
            OriginPattern(scheme: "http", host: .exact("::1"), port: 3000),
            OriginPattern(scheme: "capacitor", host: .exact("localhost"), port: 0),
        ]
        #expect(route.origins == .list(origins))
        #expect(
            origins.map(\.description) == [
                "https://app.example.com", "https://*.example.com:8443", "http://[::1]:3000", "capacitor://localhost",
            ])
        #expect(route.subprotocols == ["chat.v2", "chat.v1"])
        #expect(route.requireSubprotocol)
        var timeouts = Timeouts()
        timeouts.handshake = .seconds(60)
        timeouts.connect = .milliseconds(250)
        timeouts.close = .seconds(3600)
        timeouts.idle = .seconds(600)
        timeouts.session = .seconds(7 * 86400)
        #expect(route.timeouts == timeouts)
        var limits = Limits()
        limits.message = .bytes(0)
        limits.backendMessage = .kibibytes(64)
        limits.fragments = 0
        limits.backendFragments = 7
        limits.queue = .kibibytes(64)
        #expect(route.limits == limits)
        #expect(route.limitsMessagesItself)
    }

    @Test func `a route without a name is called by its first host and its path`() throws {
        #expect(try RouteSettings.reading(route: "require-origin: false").name == "/")
        #expect(try RouteSettings.reading(route: "hosts: [b.example, a.example]").name == "b.example/")
    }

    @Test(arguments: [
        ("/", PathPattern.exact("/")), ("/*", .subtree("/")), ("/chat/*", .subtree("/chat/")),
        ("/chat/", .exact("/chat/")),
        ("/%7Euser/%2a%c3%BC%0a", .exact("/~user/%2A%C3%BC%0A")), ("/a..b/...", .exact("/a..b/...")),
        ("/a//b", .exact("/a//b")), ("/user%3Aadmin/*", .subtree("/user:admin/")), ("/a%3b/%2A", .exact("/a%3B/%2A")),
    ])
    func `paths are normalised`(text: String, path: PathPattern) throws {
        #expect(try PathPattern(parsing: text) == path)
    }

    @Test func `a route may lead to a page`() throws {
        let configuration = try GatewayConfiguration.reading(
            "listeners: [{address: \":0\"}]\nroutes: [{path: /, page: console}]")
        #expect(configuration.routes == [RouteSettings(name: "/", path: .exact("/"), action: .page(.console))])
    }

    // MARK: - Lists of one variable

    private func servers(_ text: String, _ value: String) throws -> [String] {
        let configuration = try GatewayConfiguration.reading(
            "listeners: [{address: \":0\"}]\nbackends:\n  b:\n    websocket: \(text)\n", environment: ["SERVERS": value]
        )
        guard case .websocket(let endpoints)? = configuration.backends["b"]?.kind else { return [] }
        return endpoints.map(\.description)
    }

    @Test(arguments: ["${SERVERS}", "\"${SERVERS}\"", "${SERVERS:-ws://c}"])
    func `the value of one variable may be a list`(text: String) throws {
        #expect(try self.servers(text, "ws://a") == ["ws://a"])
        #expect(try self.servers(text, " ws://a,\tws://b ") == ["ws://a", "ws://b"])
    }

    @Test func `an empty variable is an empty list`() throws {
        let text = "listeners: [{address: \":0\"}]\ntrusted-proxies: ${NETWORKS}"
        for value in ["", "  "] {
            let configuration = try GatewayConfiguration.reading(text, environment: ["NETWORKS": value])
            #expect(configuration.trustedProxies == TrustedProxies())
        }
        #expect(try self.servers("${SERVERS:-ws://c, ws://d}", "") == ["ws://c", "ws://d"])
    }

    /// More than one reference, or one with text beside it, is no list; nor is what only looks like one.
    @Test(arguments: ["${SERVERS}${SERVERS}", "ws://${SERVERS}", "ws://a,ws://b"])
    func `text around a variable, or two variables, is not a list`(text: String) {
        #expect(throws: ConfigurationReader.Failure.self) { try self.servers(text, "a") }
    }

    @Test func `origins of one variable are a word or a list`() throws {
        func origins(_ value: String) throws -> OriginPolicy? {
            try GatewayConfiguration.reading(
                """
                listeners: [{address: ":0"}]
                routes: [{path: /, backend: b, origins: "${ORIGINS}"}]
                backends: {b: {builtin: echo}}
                """, environment: ["ORIGINS": value]
            ).routes.first?.origins
        }
        #expect(try origins("any") == .any)
        #expect(try origins("same-origin") == .sameOrigin)
        #expect(
            try origins("https://a.example,https://b.example")
                == .list([
                    OriginPattern(parsing: "https://a.example"), OriginPattern(parsing: "https://b.example"),
                ]))
        // An empty list lets no page in, and never every page.
        #expect(try origins("") == .list([]))
        #expect(throws: ConfigurationReader.Failure.self) { try origins("all") }
    }

    // MARK: - Defaults

    @Test func `a route's own close codes win over the defaults`() throws {
        #expect(try RouteSettings.reading(route: "name: x").closeCodes == .registered)
        #expect(try RouteSettings.reading(defaults: "{close-codes: rfc6455}", route: "name: x").closeCodes == .rfc6455)
        let own = try RouteSettings.reading(defaults: "{close-codes: rfc6455}", route: "close-codes: registered")
        #expect(own.closeCodes == .registered)
    }

    @Test func `a route's own key wins over its backend's, and that over the defaults`() throws {
        let defaults = """
            {origins: any, require-origin: true, timeouts: {handshake: 1s, connect: 1s, close: 1s},
                limits: {message: 1, backend-message: 1, fragments: 1, backend-fragments: 1, queue: 4KiB}}
            """
        let backend = """
            {websocket: ["ws://a"], timeouts: {connect: 2s}, limits: {backend-message: 2, backend-fragments: 2}}
            """
        let inherited = try RouteSettings.reading(defaults: defaults, route: "name: x", backend: backend)
        #expect(inherited.origins == .any)
        #expect(inherited.requireOrigin)
        #expect(inherited.timeouts.handshake == .seconds(1))
        #expect(inherited.timeouts.connect == .seconds(2))
        #expect(inherited.limits.message == .bytes(1))
        #expect(inherited.limits.backendMessage == .bytes(2))
        #expect(inherited.limits.backendFragments == 2)
        #expect(!inherited.limitsMessagesItself)

        let own = try RouteSettings.reading(
            defaults: defaults,
            route:
                "origins: same-origin, require-origin: false, timeouts: {connect: 3s}, limits: {backend-fragments: 3}",
            backend: backend)
        #expect(own.origins == .sameOrigin)
        #expect(!own.requireOrigin)
        #expect(own.timeouts.handshake == .seconds(1))
        #expect(own.timeouts.connect == .seconds(3))
        #expect(own.timeouts.close == .seconds(1))
        #expect(own.limits.backendMessage == .bytes(2))
        #expect(own.limits.backendFragments == 3)
        #expect(own.limits.queue == .kibibytes(4))
        #expect(!own.limitsMessagesItself)
    }

    @Test(arguments: [
        ("limits: {message: 1MiB}", true), ("limits: {backend-message: 1MiB}", true), ("limits: {queue: 1MiB}", false),
        ("limits: {}", false),
    ])
    func `a route limits messages itself only where it says so`(keys: String, expected: Bool) throws {
        let route = try RouteSettings.reading(
            defaults: "{limits: {message: 1KiB}}", route: keys, backend: "{tcp: [\"localhost:80\"]}")
        #expect(route.limitsMessagesItself == expected)
    }

    // MARK: - Scalars

    @Test func `compression is passed on, within a limit of memory, unless it is off`() throws {
        #expect(try RouteSettings.reading(route: "name: x").compression == .pass)
        #expect(try RouteSettings.reading(route: "name: x").limits.compression == .kibibytes(64))
        #expect(try RouteSettings.reading(route: "compression: off").compression == .off)
        #expect(try RouteSettings.reading(route: "limits: {compression: 300KiB}").limits.compression == .kibibytes(300))
        let configuration = try GatewayConfiguration.reading(
            """
            listeners: [{address: ":80"}]
            defaults: {compression: off, limits: {compression: 0}}
            routes: [{path: /a, backend: b}, {path: /b, backend: b, compression: pass}]
            backends: {b: {builtin: echo}}
            """)
        #expect(configuration.routes.map(\.compression) == [.off, .pass])
        #expect(configuration.routes.map(\.limits.compression) == [.bytes(0), .bytes(0)])
    }

    @Test func `variables are replaced in values`() throws {
        let configuration = try GatewayConfiguration.reading(
            """
            workers: ${WORKERS}
            log: {file: "/var/${DIR:-log}/${EMPTY:-gateway}.$${x}.$log"}
            listeners: [{address: "${HOST:-127.0.0.1}:${PORT}"}]
            """, environment: ["WORKERS": "3", "PORT": "8080", "EMPTY": "", "DIR": "log: {a: b}"])
        #expect(configuration.workers == 3)
        #expect(configuration.log.file == "/var/log: {a: b}/gateway.${x}.$log")
        #expect(configuration.listeners.map(\.address) == [.tcp(host: "127.0.0.1", port: 8080)])
    }

    @Test func `what a variable holds is checked like what is written`() {
        let errors = #expect(throws: ConfigurationReader.Failure.self) {
            try GatewayConfiguration.reading("listeners:\n  - address: ${WHERE}", environment: ["WHERE": "here"])
        }
        #expect(errors?.diagnostics.count == 1)
        #expect(errors?.diagnostics.first?.message.contains("not `here`") == true)
        #expect(errors?.diagnostics.first?.position == Diagnostic.Position(line: 2, column: 14))
    }

    @Test func `a scalar never turns into something else`() throws {
        let route = try RouteSettings.reading(route: "name: 0x10, subprotocols: [off, 1.20, 080, null]")
        #expect(route.name == "0x10")
        #expect(route.subprotocols == ["off", "1.20", "080", "null"])
    }

    // MARK: - Files

    @Test func `a file that is not UTF-8 is refused at its place`() {
        let bytes = "workers: 1\n# ü \u{1}".utf8.map { $0 == 1 ? 0xFF : $0 }
        let errors = #expect(throws: ConfigurationReader.Failure.self) {
            try ConfigurationReader.read(bytes: bytes, file: "x.conf", environment: [:])
        }
        #expect(errors?.description == "x.conf:2:5: not UTF-8\n    # ü \u{FFFD}\n        ^")
    }

    @Test func `the caret stands under its place, behind tabs too`() {
        let diagnostic = Diagnostic(
            file: "f", position: Diagnostic.Position(line: 1, column: 3), message: "m", sourceLine: "\tä: x")
        #expect(diagnostic.rendered == "f:1:3: m\n    \tä: x\n    \t ^")
    }
}
