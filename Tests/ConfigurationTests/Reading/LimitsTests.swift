import Configuration
import Testing

/// The keys of `limits` that say how many come in, and how fast.
struct LimitsTests {
    private func reading(defaults: String, listener: String = "{}", route: String = "{}") throws -> GatewayConfiguration
    {
        try GatewayConfiguration.reading(
            """
            listeners: [{address: ":0", limits: \(listener)}]
            defaults: {limits: \(defaults)}
            routes: [{path: /a, backend: b, limits: \(route)}]
            backends: {b: {builtin: broadcast}}
            """)
    }

    private let all = "{sessions: 9, sessions-per-address: 8, handshakes-per-address: 7/s, requests-per-address: 0.5}"

    private var scope: ScopeLimits {
        var scope = ScopeLimits()
        scope.sessions = 9
        scope.sessionsPerAddress = 8
        scope.handshakesPerAddress = 7
        scope.requestsPerAddress = 0.5
        return scope
    }

    @Test func `those of the defaults are the gateway's and are not inherited`() throws {
        let configuration = try self.reading(defaults: self.all)
        #expect(configuration.scope == self.scope)
        #expect(configuration.listeners[0].scope == ScopeLimits())
        #expect(configuration.routes[0].scope == ScopeLimits())
    }

    @Test func `a listener and a route have their own`() throws {
        let onListener = try self.reading(defaults: "{}", listener: self.all)
        #expect(onListener.listeners[0].scope == self.scope)
        #expect(onListener.scope == ScopeLimits() && onListener.routes[0].scope == ScopeLimits())
        let onRoute = try self.reading(defaults: "{}", route: self.all)
        #expect(onRoute.routes[0].scope == self.scope)
        #expect(onRoute.scope == ScopeLimits() && onRoute.listeners[0].scope == ScopeLimits())
    }

    @Test(arguments: ["0", "off"]) func `zero and off are no limit`(_ off: String) throws {
        let keys = [
            "sessions", "sessions-per-address", "handshakes-per-address", "requests-per-address",
            "messages-per-second", "bytes-per-second",
        ]
        let text = "{\(keys.map { "\($0): \(off)" }.joined(separator: ", "))}"
        let configuration = try self.reading(defaults: text)
        #expect(configuration.scope == ScopeLimits())
        #expect(configuration.routes[0].limits == Limits())
    }

    @Test func `routes inherit the rates of sessions one by one`() throws {
        let configuration = try self.reading(
            defaults: "{messages-per-second: 10, bytes-per-second: 64KiB, over-rate: close}",
            route: "{messages-per-second: 20}")
        let limits = configuration.routes[0].limits
        #expect(limits.messagesPerSecond == 20)
        #expect(limits.bytesPerSecond == .kibibytes(64))
        #expect(limits.overRate == .close)
        #expect(Limits().overRate == .delay)
    }

    @Test func `a broadcast backend closes slow members unless it drops the oldest messages`() throws {
        #expect(try BackendSettings.reading("{builtin: broadcast}").slowConsumer == .close)
        #expect(
            try BackendSettings.reading("{builtin: broadcast, slow-consumer: drop-oldest}").slowConsumer == .dropOldest)
    }
}
