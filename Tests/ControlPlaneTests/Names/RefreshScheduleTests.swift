import System
import Testing

@testable import ControlPlane
@testable import DataPlane

@Suite struct RefreshScheduleTests {
    private static func at(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    private func schedule(_ refresh: Duration = .seconds(30)) -> RefreshSchedule {
        RefreshSchedule(refresh: refresh, at: Self.at(0))
    }

    /// The pause after each of `count` failures in a row.
    private func retries(_ count: Int, refresh: Duration) -> [Duration] {
        var schedule = self.schedule(refresh)
        return (0..<count).map { _ in
            let now = schedule.due
            schedule.begin(at: now)
            schedule.answered(hasSucceeded: false, at: now)
            return schedule.due - now
        }
    }

    @Test func `a name that was found is refreshed`() {
        var schedule = self.schedule(.seconds(90))
        #expect(schedule.due == Self.at(0))
        schedule.begin(at: Self.at(0))
        #expect(schedule.due == .never)
        schedule.answered(hasSucceeded: true, at: Self.at(200))
        #expect(schedule.due == Self.at(90_200))
    }

    @Test func `a name that was not found is looked up again sooner than one that was`() {
        #expect(self.retries(7, refresh: .seconds(300)) == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        // Never longer than the pause after a success.
        #expect(self.retries(5, refresh: .seconds(5)) == [1, 2, 4, 5, 5].map { .seconds($0) })
        #expect(self.retries(80, refresh: .seconds(60)).last == .seconds(30))
    }

    @Test func `a success resets the count of failures`() {
        var schedule = self.schedule()
        for _ in 0..<4 {
            schedule.begin(at: Self.at(0))
            schedule.answered(hasSucceeded: false, at: Self.at(0))
        }
        #expect(schedule.due == Self.at(8000))
        schedule.begin(at: Self.at(0))
        schedule.answered(hasSucceeded: true, at: Self.at(0))
        schedule.begin(at: Self.at(0))
        schedule.answered(hasSucceeded: false, at: Self.at(0))
        #expect(schedule.due == Self.at(1000))
    }

    @Test func `failed connections cause at most one look-up a second`() {
        var schedule = self.schedule()
        schedule.begin(at: Self.at(0))
        // The look-up in progress will return the new addresses.
        schedule.doubted(at: Self.at(10))
        schedule.answered(hasSucceeded: true, at: Self.at(20))
        #expect(schedule.due == Self.at(30_020))
        schedule.doubted(at: Self.at(300))
        #expect(schedule.due == Self.at(1000))
        schedule.doubted(at: Self.at(900))
        #expect(schedule.due == Self.at(1000))
        schedule.begin(at: Self.at(1000))
        schedule.answered(hasSucceeded: false, at: Self.at(1001))
        schedule.doubted(at: Self.at(5000))
        #expect(schedule.due == Self.at(2001))
        schedule.begin(at: Self.at(2001))
        schedule.answered(hasSucceeded: true, at: Self.at(2001))
        schedule.doubted(at: Self.at(9000))
        #expect(schedule.due == Self.at(9000))
    }

    @Test func `unknown keys cause at most one fetch in 30 s, however many tokens name them`() {
        var schedule = RefreshSchedule(refresh: .seconds(600), pace: .seconds(30), at: Self.at(0))
        var fetches: [Int] = []
        // A minute and a half of tokens, one each 10 ms.
        for now in stride(from: 0, to: 90_000, by: 10) {
            if now > 0 { schedule.doubted(at: Self.at(now)) }
            guard schedule.due <= Self.at(now) else { continue }
            fetches.append(now)
            schedule.begin(at: Self.at(now))
            schedule.answered(hasSucceeded: true, at: Self.at(now))
        }
        #expect(fetches == [0, 30_000, 60_000])
        #expect(schedule.due == Self.at(90_000))
    }

    @Test func `a call that wants the name now gets the answer of a later look-up`() {
        var schedule = self.schedule()
        schedule.begin(at: Self.at(0))
        schedule.wanted(at: Self.at(10))
        #expect(schedule.due == .never)
        schedule.answered(hasSucceeded: true, at: Self.at(20))
        #expect(schedule.due == Self.at(20))
        schedule.begin(at: Self.at(20))
        schedule.answered(hasSucceeded: true, at: Self.at(30))
        #expect(schedule.due == Self.at(30_030))
        schedule.wanted(at: Self.at(40))
        #expect(schedule.due == Self.at(40))
    }
}
