import Configuration
import HTTP1
import Testing

/// The keys of routes that serve plain HTTP.
struct PlainHTTPTests {
    private func action(_ keys: String) throws -> RouteSettings.Action? {
        try self.reading("{path: /a, \(keys)}").routes.first?.action
    }

    private func reading(_ route: String, defaults: String = "{}", listener: String = "") throws -> GatewayConfiguration
    {
        try GatewayConfiguration.reading(
            """
            listeners: [{address: ":0"\(listener)}]
            defaults: \(defaults)
            routes: [\(route)]
            backends: {b: {websocket: ["ws://127.0.0.1:1"]}}
            """)
    }

    @Test func `a redirect is a word, a URL or a mapping`() throws {
        #expect(try self.action("redirect: https, scheme: http") == .redirect(RedirectSettings(to: .https)))
        for origin in ["https://b.example", "http://b.example:8080", "HTTPS://[::1]:8443"] {
            #expect(try self.action("redirect: \"\(origin)\"") == .redirect(RedirectSettings(to: .origin(origin))))
        }
        for url in ["https://b.example/", "https://b.example/a?b#c", "https://b.example//a?b=%20"] {
            #expect(try self.action("redirect: \"\(url)\"") == .redirect(RedirectSettings(to: .url(url))))
        }
        for status in RedirectStatus.allCases {
            var settings = RedirectSettings(to: .origin("https://b.example"))
            settings.status = status
            #expect(
                try self.action("redirect: {to: \"https://b.example\", status: \(status.rawValue)}")
                    == .redirect(settings))
            #expect("\(status.code)" == status.rawValue)
        }
        #expect(RedirectSettings(to: .https).status == .permanent)
    }

    @Test func `a fixed answer has a status, a text and a type`() throws {
        #expect(try self.action("answer: {}") == .answer(AnswerSettings()))
        var settings = AnswerSettings()
        #expect(settings.status == 200)
        #expect(settings.text.isEmpty)
        #expect(settings.type == "text/plain")
        settings.status = 503
        settings.text = "{\"up\": false}"
        settings.type = "application/json; profile=x"
        let written = #"answer: {status: 503, text: '{"up": false}', type: "application/json; profile=x"}"#
        #expect(try self.action(written) == .answer(settings))
    }

    @Test func `files are a path or a mapping, alone or beside a backend`() throws {
        #expect(try self.action("files: srv") == .files(FilesSettings("srv"), backend: nil))
        let written = [
            ("files: /srv", FilesSettings("/srv")), ("files: {folder: /srv}", FilesSettings("/srv")),
            ("files: {folder: /srv, fallback: /a/b.html}", FilesSettings("/srv", fallback: "/a/b.html")),
        ]
        for (text, settings) in written {
            let alone = try self.reading("{path: /*, \(text)}").routes[0].action
            #expect(alone == .files(settings, backend: nil))
            #expect(alone.backend == nil)
            let beside = try self.reading("{path: /*, \(text), backend: b, origins: any, limits: {queue: 8KiB}}")
                .routes[0]
            #expect(beside.action == .files(settings, backend: "b"))
            #expect(beside.action.backend == "b")
            #expect(beside.origins == .any)
        }
    }

    @Test func `headers keep their order and their spelling`() throws {
        let headers = #"headers: {Strict-Transport-Security: max-age=31536000, X-Number: 1, x-empty: ""}"#
        let expected: HTTPFields = [
            "Strict-Transport-Security": "max-age=31536000", "X-Number": "1", "x-empty": "",
        ]
        for action in ["backend: b", "page: console", "answer: {}", "redirect: \"https://b.example\"", "files: f"] {
            #expect(try self.reading("{path: /a, \(action), \(headers)}").routes[0].headers == expected)
        }
    }

    @Test func `a scheme and plain requests are the route's own`() throws {
        let routes = try self.reading(
            "{path: /, backend: b, scheme: https, http: pass}, {path: /, backend: b, scheme: http}, {path: /, backend: b}"
        ).routes
        #expect(routes.map(\.scheme) == [.https, .http, nil])
        #expect(routes.map(\.http) == [.pass, .off, .off])
    }

    @Test func `limits and timeouts of requests are inherited`() throws {
        let routes = try self.reading(
            "{path: /, backend: b, limits: {body: 0}, timeouts: {response: 5s}}, {path: /b, backend: b}",
            defaults: "{limits: {body: 2MiB}, timeouts: {response: 1m, request-body: 7s}}"
        ).routes
        #expect(routes.map(\.limits.body) == [.bytes(0), .mebibytes(2)])
        #expect(routes.map(\.timeouts.response) == [.seconds(5), .seconds(60)])
        #expect(routes.map(\.timeouts.requestBody) == [.seconds(7), .seconds(7)])
        #expect(Limits().body == .mebibytes(1))
        #expect(Timeouts().response == .seconds(100))
        #expect(Timeouts().requestBody == .seconds(30))
    }

    @Test func `listeners inherit their limits and timeouts from the defaults`() throws {
        let defaults = "{limits: {head: 32KiB, message: 1KiB}, timeouts: {keep-alive: 10s}}"
        let inherited = try self.reading("{path: /, backend: b}", defaults: defaults)
        #expect(inherited.listeners[0].limits.head == .kibibytes(32))
        #expect(inherited.listeners[0].timeouts.keepAlive == .seconds(10))
        #expect(inherited.routes[0].limits.message == .kibibytes(1))
        let own = try self.reading(
            "", defaults: defaults, listener: ", limits: {head: 8KiB}, timeouts: {keep-alive: 1s}")
        #expect(own.listeners[0].limits.head == .kibibytes(8))
        #expect(own.listeners[0].timeouts.keepAlive == .seconds(1))
        let unset = try self.reading("").listeners[0]
        #expect(unset.limits.head == .kibibytes(16))
        #expect(unset.timeouts.keepAlive == .seconds(60))
    }

    @Test func `listeners have a limit of connections for each address`() throws {
        func limits(_ listener: String, defaults: String = "{}") throws -> [Int?] {
            try self.reading("", defaults: defaults, listener: listener).listeners.map(\.limits.connectionsPerAddress)
        }
        let hundred = "{limits: {connections-per-address: 100}}"
        #expect(try limits("") == [nil])
        #expect(try limits("", defaults: hundred) == [100])
        #expect(try limits(", limits: {connections-per-address: 5}", defaults: hundred) == [5])
        #expect(try limits(", limits: {connections-per-address: 0}", defaults: hundred) == [nil])
        #expect(try limits(", limits: {connections-per-address: off}", defaults: hundred) == [nil])
    }

    @Test func `a redirect to https of clients that have it is warned of`() throws {
        let other = "{path: /b, backend: b}"
        let configuration = try self.reading("{path: /a, redirect: https}, \(other)")
        #expect(
            configuration.warnings.map(\.message) == [
                "`redirect` sends clients that came by https to the URL that they asked for: add `scheme: http`"
            ])
        #expect(configuration.warnings.first?.position?.line == 3)
        #expect(try self.reading("{path: /a, redirect: https, scheme: http}, \(other)").warnings.isEmpty)
        #expect(try self.reading("{path: /a, redirect: \"https://b.example\"}, \(other)").warnings.isEmpty)
    }
}
