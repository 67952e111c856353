import Configuration
import HTTP1
import Testing

/// The keys of heartbeats, health, balancing, drain and admin, and the values they become.
struct HealthSettingsTests {
    private func top(_ line: String) throws -> GatewayConfiguration {
        try GatewayConfiguration.reading("listeners: [{address: \":0\"}]\n\(line)")
    }

    // MARK: - admin, drain

    private static func admin(_ address: Address, hosts: [String] = []) -> GatewayConfiguration.Admin {
        var settings = GatewayConfiguration.Admin(address: address)
        settings.hosts = hosts
        return settings
    }

    @Test(arguments: [
        ("admin: off", nil), ("workers: auto", nil), ("admin: 0", nil),
        ("admin: 127.0.0.1:9901", admin(.tcp(host: "127.0.0.1", port: 9901))),
        ("admin: \":0\"", admin(.tcp(host: "", port: 0))),
        ("admin: unix:/run/gateway.sock", admin(.unix(path: "/run/gateway.sock"))),
        ("admin: unix:@gateway", admin(.abstract(name: "gateway"))),
        ("admin: {address: \"[::1]:9901\"}", admin(.tcp(host: "::1", port: 9901))),
        (
            "admin: {address: \":9901\", hosts: [Gateway.Internal., a]}",
            admin(.tcp(host: "", port: 9901), hosts: ["gateway.internal", "a"])
        ),
    ])
    func `the admin address is off, an address or a mapping`(line: String, expected: GatewayConfiguration.Admin?) throws
    {
        #expect(try self.top(line).admin == expected)
    }

    @Test(arguments: [
        ("{}", Duration.zero, Duration.seconds(30), nil),
        ("{delay: 5s, over: 2m, rate: 20}", .seconds(5), .seconds(120), 20),
        ("{over: 0s, rate: 0.5/s}", .zero, .zero, 0.5), ("{rate: 100/s}", .zero, .seconds(30), 100),
        ("{rate: off}", .zero, .seconds(30), nil), ("{rate: 0}", .zero, .seconds(30), nil),
        ("{rate: 0/s}", .zero, .seconds(30), nil), ("{rate: 007.250}", .zero, .seconds(30), 7.25),
    ])
    func `a drain has a delay, a time and a rate`(drain: String, delay: Duration, over: Duration, rate: Double?) throws
    {
        var expected = GatewayConfiguration.Drain()
        expected.delay = delay
        expected.over = over
        expected.rate = rate
        #expect(try self.top("drain: \(drain)").drain == expected)
    }

    // MARK: - Heartbeats and timeouts

    private static func heartbeat(_ interval: Duration, _ timeout: Duration) -> HeartbeatSettings {
        var settings = HeartbeatSettings()
        settings.interval = interval
        settings.timeout = timeout
        return settings
    }

    private func route(defaults: String, route: String, backend: String) throws -> RouteSettings {
        let configuration = try self.top(
            """
            defaults: {\(defaults)}
            routes: [{path: /, backend: b, \(route)}]
            backends: {b: {websocket: ["ws://a"], \(backend)}}
            """)
        return try #require(configuration.routes.first)
    }

    /// What is written in the defaults, the route and the backend, and what the client's and the backend's leg get.
    @Test(arguments: [
        ("", "", "", heartbeat(.seconds(25), .seconds(10)), heartbeat(.seconds(25), .seconds(10))),
        ("{}", "{}", "{}", heartbeat(.seconds(25), .seconds(10)), heartbeat(.seconds(25), .seconds(10))),
        ("off", "", "", nil, nil),
        ("", "off", "{interval: 1s}", nil, nil),
        ("", "", "off", heartbeat(.seconds(25), .seconds(10)), nil),
        ("off", "", "{interval: 100ms}", nil, heartbeat(.milliseconds(100), .seconds(10))),
        (
            "off", "{timeout: 50ms}", "", heartbeat(.seconds(25), .milliseconds(50)),
            heartbeat(.seconds(25), .milliseconds(50))
        ),
        (
            "{interval: 1s, timeout: 2s}", "", "{timeout: 3s}", heartbeat(.seconds(1), .seconds(2)),
            heartbeat(.seconds(1), .seconds(3))
        ),
        (
            "{interval: 1s, timeout: 2s}", "{interval: 4s}", "{timeout: 3s}", heartbeat(.seconds(4), .seconds(2)),
            heartbeat(.seconds(4), .seconds(3))
        ),
    ])
    func `a route's heartbeat wins over its backend's, and that over the defaults`(
        defaults: String, route: String, backend: String, client: HeartbeatSettings?, behind: HeartbeatSettings?
    ) throws {
        func key(_ value: String) -> String { value.isEmpty ? "" : "heartbeat: \(value)" }
        let settings = try self.route(defaults: key(defaults), route: key(route), backend: key(backend))
        #expect(settings.heartbeat == client)
        #expect(settings.backendHeartbeat == behind)
    }

    @Test(arguments: [
        ("", "", nil, nil), ("idle: 1m, session: 1h", "", Duration.seconds(60), Duration.seconds(3600)),
        ("idle: 1m, session: 1h", "idle: off", nil, .seconds(3600)),
        ("idle: 1m, session: 1h", "session: 0", .seconds(60), nil),
        ("idle: off, session: 0s", "idle: 250ms, session: 720h", .milliseconds(250), .seconds(30 * 86400)),
    ])
    func `idle and session timeouts are off unless they are written`(
        defaults: String, route: String, idle: Duration?, session: Duration?
    ) throws {
        let settings = try self.route(
            defaults: "timeouts: {\(defaults)}", route: "timeouts: {\(route)}", backend: "timeouts: {connect: 1s}")
        #expect(settings.timeouts.idle == idle)
        #expect(settings.timeouts.session == session)
    }

    // MARK: - Backends

    @Test func `a backend that says nothing has no checks, and takes its endpoints in turn`() throws {
        let settings = try BackendSettings.reading("{websocket: [\"ws://a\"]}")
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "a", port: 80), tls: false, authority: "a", path: .client)
        #expect(settings == BackendSettings(name: "b", kind: .websocket([endpoint])))
        #expect(
            try BackendSettings.reading(
                "{websocket: [\"ws://a\"], health: off, eject: off, slow-start: off, rebalance: off}")
                == settings)
    }

    @Test(arguments: [
        ("round-robin", Balance.roundRobin), ("least-sessions", .leastSessions), ("hash-address", .hashAddress),
        ("hash-path", .hashPath), ("random-two", .randomTwo), ("cookie", .cookie),
        ("hash-cookie:JSESSIONID", .hashCookie("JSESSIONID")), ("hash-header:X-User", .hashHeader("X-User")),
        ("hash-query:room", .hashQuery("room")), ("\"hash-query:a:b[]\"", .hashQuery("a:b[]")),
    ])
    func `each way to choose endpoints has its word`(text: String, balance: Balance) throws {
        #expect(try BackendSettings.reading("{tcp: [\"a:1\"], balance: \(text)}").balance == balance)
    }

    @Test func `the cookie of a backend may have a key, and be for pages of other sites`() throws {
        let plain = try BackendSettings.reading("{tcp: [\"a:1\"], balance: cookie}")
        #expect(plain.cookie == BackendSettings.Cookie())
        #expect(plain.cookie.sameSite == .lax)
        #expect(plain.cookie.key == nil)
        #expect(plain.cookieName == "gateway-b")
        let configuration = try GatewayConfiguration.reading(
            """
            listeners: [{address: ":0", tls: {self-signed: [localhost]}}]
            backends: {b: {websocket: ["ws://a"], balance: cookie, cookie: {same-site: none, key: "${STICKY_KEY}"}}}
            """, environment: ["STICKY_KEY": "s3cret"])
        let backend = try #require(configuration.backends["b"])
        #expect(backend.cookie.sameSite == .none)
        #expect(backend.cookie.key == "s3cret")
    }

    @Test func `an endpoint may have a weight and be a backup`() throws {
        let relay = try BackendSettings.reading(
            "{websocket: [\"ws://a\", {url: \"ws://b\", weight: 1000}, {backup: true, url: \"ws://c\"}]}")
        guard case .websocket(let urls) = relay.kind else { throw Unexpected(kind: relay.kind) }
        #expect(urls.map(\.weight) == [1, 1000, 1])
        #expect(urls.map(\.backup) == [false, false, true])
        let bridge = try BackendSettings.reading(
            "{tcp: [{address: \"a:1\", weight: 2, backup: false}, {address: \"a:2\", backup: true}]}")
        guard case .tcp(let addresses, _) = bridge.kind else { throw Unexpected(kind: bridge.kind) }
        #expect(addresses.map(\.weight) == [2, 1])
        #expect(addresses.map(\.backup) == [false, true])
    }

    private struct Unexpected: Error { let kind: BackendSettings.Kind }

    private static func health(
        _ check: HealthCheckKind, _ change: (inout BackendSettings.HealthCheck) -> Void = { _ in }
    ) -> BackendSettings.HealthCheck {
        var settings = BackendSettings.HealthCheck(check: check)
        change(&settings)
        return settings
    }

    @Test(arguments: [
        ("websocket", health(.websocket)), ("{check: connect}", health(.connect)), ("http", health(.http)),
        (
            "{check: websocket, interval: 1m, timeout: 1m, rise: 1, fall: 1000, path: \"/a?b=c\", host: \"a:80\", subprotocol: x}",
            health(.websocket) {
                ($0.interval, $0.timeout, $0.rise, $0.fall) = (.seconds(60), .seconds(60), 1, 1000)
                ($0.path, $0.host, $0.subprotocol) = ("/a?b=c", "a:80", "x")
            }
        ),
        ("{check: http, path: /, status: 204}", health(.http) { ($0.path, $0.status) = ("/", 204) }),
        (
            "{check: websocket, headers: {Origin: \"https://a\", X-Count: 1}}",
            health(.websocket) { $0.headers = ["Origin": "https://a", "X-Count": "1"] }
        ),
        // A timeout that is not written is at most the interval.
        ("{check: http, interval: 1s}", health(.http) { ($0.interval, $0.timeout) = (.seconds(1), .seconds(1)) }),
        ("{check: http, interval: 10s}", health(.http) { ($0.interval, $0.timeout) = (.seconds(10), .seconds(2)) }),
    ])
    func `a check is a name, or a mapping with its settings`(text: String, expected: BackendSettings.HealthCheck) throws
    {
        #expect(try BackendSettings.reading("{websocket: [\"ws://a\"], health: \(text)}").health == expected)
    }

    @Test func `the fields of a check may come from the environment, and a mistake in them says no secret`() throws {
        func read(_ token: String) throws -> BackendSettings.HealthCheck? {
            try GatewayConfiguration.reading(
                """
                listeners: [{address: ":0"}]
                backends: {b: {websocket: ["ws://a"], health: {check: http, headers: {Authorization: "Bearer ${TOKEN}"}}}}
                """, environment: ["TOKEN": token]
            ).backends["b"]?.health
        }
        #expect(try read("s3cret")?.headers == ["Authorization": "Bearer s3cret"])
        let failure = #expect(throws: ConfigurationReader.Failure.self) { try read("s3cret\nX: y") }
        let problem = "`Authorization` must be one line of printable ASCII, without spaces at its ends"
        #expect(failure?.description.contains(problem) == true)
        #expect(failure?.description.contains("s3cret") == false)
    }

    @Test(arguments: [("connect", HealthCheckKind.connect), ("http", .http)])
    func `a TCP backend has checks, too`(text: String, check: HealthCheckKind) throws {
        #expect(
            try BackendSettings.reading("{tcp: [\"a:1\"], health: \(text)}").health
                == BackendSettings.HealthCheck(check: check)
        )
    }

    @Test func `a backend may have ejection, slow start and rebalance`() throws {
        let settings = try BackendSettings.reading(
            "{tcp: [\"a:1\"], eject: {failures: 1, for: 250ms}, slow-start: 30s, rebalance: {rate: 5/s}}")
        #expect(settings.eject?.failures == 1)
        #expect(settings.eject?.duration == .milliseconds(250))
        #expect(settings.slowStart == .seconds(30))
        #expect(settings.rebalance == BackendSettings.Rebalance(rate: 5))
        #expect(try BackendSettings.reading("{tcp: [\"a:1\"], eject: {}}").eject == BackendSettings.Eject())
    }
}
