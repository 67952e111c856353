import Configuration
import System
import Testing

@testable import Sessions

@Suite struct SessionDeadlinesTests {
    private static func instant(_ seconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
    }

    private static func timeouts(idle: Duration? = nil, session: Duration? = nil) -> Timeouts {
        var timeouts = Timeouts()
        timeouts.idle = idle
        timeouts.session = session
        return timeouts
    }

    private let never = PerLeg(client: MonotonicInstant.never, backend: .never)
    private var deadlines = SessionDeadlines(began: instant(0), openedAt: instant(5))

    @Test func `without timeouts nothing is due`() {
        #expect(self.deadlines.ending(at: Self.instant(1 << 30), Self.timeouts()) == nil)
        #expect(self.deadlines.next(Self.timeouts(), self.never) == .never)
    }

    @Test func `a session ends with its client's credential`() {
        let timeouts = Self.timeouts(idle: .seconds(30), session: .seconds(20))
        let deadlines = SessionDeadlines(
            began: Self.instant(0), openedAt: Self.instant(5), credentialEnds: Self.instant(10))
        #expect(deadlines.next(timeouts, self.never) == Self.instant(10))
        #expect(deadlines.ending(at: Self.instant(9), timeouts) == nil)
        #expect(deadlines.ending(at: Self.instant(10), timeouts) == .credentialExpired)
        #expect(deadlines.ending(at: Self.instant(100), timeouts) == .credentialExpired)
    }

    @Test func `a session is idle since its opening or its last data`() {
        let timeouts = Self.timeouts(idle: .seconds(10))
        var deadlines = self.deadlines
        #expect(deadlines.next(timeouts, self.never) == Self.instant(15))
        #expect(deadlines.ending(at: Self.instant(14), timeouts) == nil)
        #expect(deadlines.ending(at: Self.instant(15), timeouts) == .idleTimeout)
        deadlines.lastData = Self.instant(14)
        #expect(deadlines.ending(at: Self.instant(23), timeouts) == nil)
        #expect(deadlines.next(timeouts, self.never) == Self.instant(24))
        #expect(deadlines.ending(at: Self.instant(24), timeouts) == .idleTimeout)
    }

    @Test func `a session's lifetime begins with its connection`() {
        let timeouts = Self.timeouts(session: .seconds(10))
        #expect(self.deadlines.next(timeouts, self.never) == Self.instant(10))
        #expect(self.deadlines.ending(at: Self.instant(9), timeouts) == nil)
        #expect(self.deadlines.ending(at: Self.instant(10), timeouts) == .sessionTimeout)
    }

    @Test func `the earliest deadline is next`() {
        var deadlines = self.deadlines
        deadlines.tick = Self.instant(9)
        let timeouts = Self.timeouts(idle: .seconds(3), session: .seconds(7))
        let legs = PerLeg(client: Self.instant(6), backend: Self.instant(5))
        #expect(deadlines.next(timeouts, legs) == Self.instant(5))
        #expect(deadlines.next(timeouts, PerLeg(client: Self.instant(6), backend: .never)) == Self.instant(6))
        #expect(deadlines.next(timeouts, self.never) == Self.instant(7))
        #expect(deadlines.next(Self.timeouts(idle: .seconds(3)), self.never) == Self.instant(8))
        #expect(deadlines.next(Self.timeouts(), self.never) == Self.instant(9))
    }

    @Test func `a tick is taken once`() {
        var deadlines = self.deadlines
        deadlines.tick = Self.instant(9)
        let taken = [8, 9, 10].map { deadlines.takeTick(at: Self.instant($0)) }
        #expect(taken == [false, true, false])
        #expect(deadlines.next(Self.timeouts(), self.never) == .never)
    }
}
