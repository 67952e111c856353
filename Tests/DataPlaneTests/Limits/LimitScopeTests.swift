import Configuration
import System
import Testing

@testable import DataPlane

@Suite struct LimitScopeTests {
    private func limits(sessions: Int? = nil, perAddress: Int? = nil, handshakes: Double? = nil) -> ScopeLimits {
        var limits = ScopeLimits()
        limits.sessions = sessions
        limits.sessionsPerAddress = perAddress
        limits.handshakesPerAddress = handshakes
        return limits
    }

    private func address(_ text: String) throws -> IPNetwork { try #require(IPAddress(text)).subscriber }

    @Test func `sessions are counted up to the limit, and again when one ends`() throws {
        let scope = LimitScope()
        let one = try self.address("10.0.0.1")
        let limits = self.limits(sessions: 2)
        #expect((0..<3).map { _ in scope.begin(one, limits) } == [nil, nil, .sessions])
        scope.end(one)
        #expect((0..<2).map { _ in scope.begin(nil, limits) } == [nil, .sessions])
    }

    @Test func `sessions of one address are counted apart, and none without an address`() throws {
        let scope = LimitScope()
        let (one, other) = (try self.address("10.0.0.1"), try self.address("10.0.0.2"))
        let limits = self.limits(sessions: 4, perAddress: 1)
        #expect(scope.begin(one, limits) == nil)
        // What is refused takes no place of others.
        for _ in 0..<10 { #expect(scope.begin(one, limits) == .sessionsPerAddress) }
        #expect(scope.begin(other, limits) == nil)
        #expect(scope.begin(nil, limits) == nil)
        #expect(scope.begin(nil, limits) == nil)
        #expect(scope.begin(nil, limits) == .sessions)
        scope.end(one)
        #expect(scope.begin(one, limits) == nil)
    }

    @Test func `a limit that comes later finds what is there`() throws {
        let scope = LimitScope()
        let one = try self.address("2001:db8::1")
        for _ in 0..<3 { #expect(scope.begin(one, self.limits()) == nil) }
        #expect(scope.begin(one, self.limits(sessions: 3)) == .sessions)
        #expect(scope.begin(try self.address("2001:db8::2"), self.limits(perAddress: 3)) == .sessionsPerAddress)
        #expect(scope.begin(one, self.limits(sessions: 4, perAddress: 4)) == nil)
    }

    @Test func `upgrades and other requests have rates of their own`() throws {
        let scope = LimitScope()
        let one = try self.address("10.0.0.1")
        let now = MonotonicInstant(nanoseconds: 0)
        let limits = self.limits(handshakes: 1)
        scope.take(one, isUpgrade: true, limits, at: now)
        #expect(scope.wait(one, isUpgrade: true, limits, at: now) == .seconds(1))
        #expect(scope.wait(one, isUpgrade: false, limits, at: now) == nil)
    }
}
