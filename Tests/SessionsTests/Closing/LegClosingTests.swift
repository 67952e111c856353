import Configuration
import System
import Testing

@testable import Sessions

@Suite struct LegClosingTests {
    private static let close = Duration.seconds(5)
    private static let stall = Duration.seconds(35)
    private let times = LegClosing.Times(close: LegClosingTests.close, heartbeat: HeartbeatSettings())

    private func time(_ seconds: Double) -> MonotonicInstant { MonotonicInstant(nanoseconds: Int64(seconds * 1e9)) }

    private func sight(
        _ awaited: ClosingHandshake.Awaited, undelivered: Int = 0, acknowledged: UInt64 = 0, lastByte: Double = 0
    ) -> LegClosing.Sight {
        .init(undelivered: undelivered, acknowledged: acknowledged, awaited: awaited, lastByte: self.time(lastByte))
    }

    /// Checks as often as the result says, from 0 on, until something is due. Returns when, and what.
    private func run(
        _ leg: inout LegClosing, until end: Double = 700, _ sight: (Double) -> LegClosing.Sight
    ) -> (at: Double, due: LegClosing.Due) {
        var now = 0.0
        while now < end {
            let due = leg.check(at: self.time(now), self.times, sight(now))
            guard case .nothing(let until) = due else { return (now, due) }
            let next = Double(until.nanoseconds) / 1e9
            #expect(next > now, "it would look again and again")
            now = next
        }
        return (end, .nothing(until: .never))
    }

    @Test func `the stall time is the longer of both times`() {
        #expect(self.times.stall == .seconds(35))
        #expect(LegClosing.Times(close: .seconds(60), heartbeat: HeartbeatSettings()).stall == .seconds(60))
        #expect(LegClosing.Times(close: .seconds(5), heartbeat: nil).stall == .seconds(35))
    }

    @Test(arguments: [ClosingHandshake.Awaited.close, .end]) func `a leg that has everything gets its time`(
        awaited: ClosingHandshake.Awaited
    ) {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { _ in self.sight(awaited) }
        #expect(outcome.due == .over)
        #expect(outcome.at == 5)
    }

    @Test func `a leg that accepts nothing stalls`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { _ in self.sight(.close, undelivered: 10) }
        #expect(outcome.due == .stalled)
        #expect(outcome.at == 35)
    }

    /// 1 byte in 30 s is slow but no stall. The time to answer begins when everything is acknowledged.
    @Test func `we wait for a slow leg as long as it accepts bytes`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { now in
            now < 150 ? self.sight(.close, undelivered: 5, acknowledged: UInt64(now / 30)) : self.sight(.close)
        }
        #expect(outcome.due == .over)
        #expect(outcome.at == 155)
    }

    @Test func `however steady its progress, a leg has a last deadline`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { self.sight(.close, undelivered: 1, acknowledged: UInt64($0 * 1000)) }
        #expect(outcome.due == .stalled)
        #expect(outcome.at == 600)
    }

    @Test func `a leg that we do not read never stalls`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg, until: 500) { now in
            var sight = self.sight(.close, undelivered: 1)
            sight.unread = .init(time: .seconds(now), isNow: true)
            return sight
        }
        #expect(outcome.due == .nothing(until: .never))
    }

    /// The leg was read for 2 s, not for 10 s, then for the rest of its 5 s.
    @Test func `time without reading does not count`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { now in
            var sight = self.sight(.close)
            sight.unread = .init(time: .seconds(min(max(now - 2, 0), 10)), isNow: now >= 2 && now < 12)
            return sight
        }
        #expect(outcome.due == .over)
        #expect(outcome.at >= 15)
        #expect(outcome.at < 16)
    }

    /// Our Close waits for a frame from the other leg: neither more bytes of it nor undelivered ones extend the time.
    @Test func `a frame has its time to end`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { self.sight(.boundary, undelivered: 100, acknowledged: UInt64($0 * 1000)) }
        #expect(outcome.due == .over)
        #expect(outcome.at == 5)
    }

    @Test func `a frame from a sender that is not read has longer`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { now in
            var sight = self.sight(.boundary, undelivered: 100, acknowledged: UInt64(now * 1000))
            sight.senderUnread = .init(time: .seconds(min(now, 20)), isNow: now < 20)
            return sight
        }
        #expect(outcome.due == .over)
        #expect(outcome.at >= 25)
        #expect(outcome.at < 26)
    }

    /// Bytes delay the end, but only for so long.
    @Test func `while bytes come, they are read for a while`() {
        var leg = LegClosing(at: self.time(0))
        var outcome = self.run(&leg) { self.sight(.end, lastByte: min($0, 12)) }
        #expect(outcome.due == .over)
        #expect(outcome.at == 17)
        leg = LegClosing(at: self.time(0))
        outcome = self.run(&leg) { self.sight(.end, lastByte: $0) }
        #expect(outcome.due == .over)
        #expect(outcome.at == 30)
    }

    @Test func `each thing that we wait for has its own time`() {
        var leg = LegClosing(at: self.time(0))
        let outcome = self.run(&leg) { self.sight($0 < 4 ? .close : .end) }
        #expect(outcome.due == .over)
        #expect(outcome.at == 10, "the look that was due at 5 found something else to wait for")
    }

    @Test func `a leg that is not waited for is only checked`() {
        var leg = LegClosing(at: self.time(0))
        #expect(self.run(&leg, until: 599) { _ in self.sight(.nothing) }.due == .nothing(until: .never))
    }
}
