import System
import Testing

@testable import Sessions

@Suite struct RenewalScheduleTests {
    private static func at(_ seconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
    }

    private let again = Duration.seconds(300)

    private func schedule(spread: UInt8 = 0) -> RenewalSchedule { RenewalSchedule(at: Self.at(1000), spread: spread) }

    @Test func `the service is asked once in each interval`() {
        var schedule = self.schedule()
        #expect(schedule.check(at: Self.at(1000), self.again) == .nothing(until: Self.at(1300)))
        #expect(schedule.check(at: Self.at(1299), self.again) == .nothing(until: Self.at(1300)))
        #expect(schedule.check(at: Self.at(1300), self.again) == .ask)
        // It takes its time.
        #expect(schedule.check(at: Self.at(1305), self.again) == .nothing(until: .never))
        #expect(schedule.answered(.granted, at: Self.at(1306)) == false)
        #expect(schedule.check(at: Self.at(1306), self.again) == .nothing(until: Self.at(1606)))
        #expect(schedule.check(at: Self.at(1606), self.again) == .ask)
    }

    @Test func `a session ends when the service refuses, and only once`() {
        var schedule = self.schedule()
        #expect(schedule.check(at: Self.at(1300), self.again) == .ask)
        #expect(schedule.answered(.refused, at: Self.at(1301)) == true)
        #expect(schedule.answered(.refused, at: Self.at(1302)) == false)
        #expect(schedule.check(at: Self.at(9999), self.again) == .nothing(until: .never))
    }

    @Test func `a service that is unreachable is asked every ten seconds, for another interval`() {
        var schedule = self.schedule()
        var now: Int64 = 1300
        var asked = 0
        while schedule.check(at: Self.at(now), self.again) == .ask {
            asked += 1
            #expect(schedule.answered(.unreachable, at: Self.at(now)) == false)
            #expect(schedule.check(at: Self.at(now + 9), self.again) == .nothing(until: Self.at(now + 10)))
            now += 10
        }
        #expect((now, asked) == (1600, 30))
        var other = schedule
        #expect(other.check(at: Self.at(1600), self.again) == .nothing(until: .never))
    }

    @Test func `the end comes in time while an answer is awaited, and is the end`() {
        var schedule = self.schedule()
        #expect(schedule.check(at: Self.at(1300), self.again) == .ask)
        #expect(schedule.answered(.unreachable, at: Self.at(1310)) == false)
        #expect(schedule.check(at: Self.at(1609), self.again) == .ask)
        #expect(schedule.check(at: Self.at(1609), self.again) == .nothing(until: Self.at(1610)))
        #expect(schedule.check(at: Self.at(1610), self.again) == .end)
        #expect(schedule.check(at: Self.at(1611), self.again) == .nothing(until: .never))
        #expect(schedule.answered(.granted, at: Self.at(1612)) == false)
        #expect(schedule.check(at: Self.at(1612), self.again) == .nothing(until: .never))
    }

    @Test func `a service that comes back is believed`() {
        var schedule = self.schedule()
        #expect(schedule.check(at: Self.at(1300), self.again) == .ask)
        #expect(schedule.answered(.unreachable, at: Self.at(1300)) == false)
        #expect(schedule.check(at: Self.at(1310), self.again) == .ask)
        #expect(schedule.answered(.granted, at: Self.at(1311)) == false)
        #expect(schedule.check(at: Self.at(1601), self.again) == .nothing(until: Self.at(1611)))
        // And the next time it is gone it has a whole interval again.
        #expect(schedule.check(at: Self.at(1611), self.again) == .ask)
        #expect(schedule.answered(.unreachable, at: Self.at(1611)) == false)
        #expect(schedule.check(at: Self.at(1910), self.again) == .ask)
    }

    @Test func `a short interval ends before the service is asked once more`() {
        var schedule = self.schedule()
        let again = Duration.seconds(2)
        #expect(schedule.check(at: Self.at(1002), again) == .ask)
        #expect(schedule.answered(.unreachable, at: Self.at(1003)) == false)
        #expect(schedule.check(at: Self.at(1003), again) == .nothing(until: Self.at(1005)))
        #expect(schedule.check(at: Self.at(1005), again) == .end)
    }

    @Test func `other settings hold at once, and without them nothing is asked`() {
        var schedule = self.schedule()
        #expect(schedule.check(at: Self.at(1100), nil) == .nothing(until: .never))
        #expect(schedule.check(at: Self.at(1100), .seconds(60)) == .ask)
        #expect(schedule.answered(.unreachable, at: Self.at(1100)) == false)
        #expect(schedule.check(at: Self.at(2000), nil) == .nothing(until: .never))
        #expect(schedule.check(at: Self.at(2000), .seconds(60)) == .end)
    }

    @Test(arguments: [UInt8.min, 100, .max]) func `crowds are spread over a tenth of the interval`(spread: UInt8) {
        var schedule = self.schedule(spread: spread)
        guard case .nothing(let until) = schedule.check(at: Self.at(1000), self.again) else {
            Issue.record("it is due")
            return
        }
        #expect(until <= Self.at(1300))
        #expect(until > Self.at(1270))
        #expect((until == Self.at(1300)) == (spread == 0))
    }
}
