import Testing

@testable import System

@Suite struct ClockTests {
    /// Checked with `date -u -d @SECONDS`.
    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"),
        (86_399, 999, "1970-01-01T23:59:59.999Z"),
        (68_169_600, 1, "1972-02-29T00:00:00.001Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
        (951_868_799, 5, "2000-02-29T23:59:59.005Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000Z"),
        (978_307_199, 50, "2000-12-31T23:59:59.050Z"),
        (1_709_164_800, 0, "2024-02-29T00:00:00.000Z"),
        (1_772_366_400, 0, "2026-03-01T12:00:00.000Z"),
        (2_147_483_648, 0, "2038-01-19T03:14:08.000Z"),
        (4_102_444_800, 0, "2100-01-01T00:00:00.000Z"),
        (4_107_542_399, 0, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799, 0, "9999-12-31T23:59:59.000Z"),
    ])
    func `known dates are written`(seconds: Int64, milliseconds: Int, text: String) {
        #expect(WallClock.rfc3339(seconds: seconds, milliseconds: milliseconds) == text)
    }

    /// Day by day through four centuries, with the calendar's rules in their plainest form.
    @Test func `every day of four centuries follows the one before`() {
        var (year, month, day) = (1970, 1, 1)
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        for number in 0..<Int64(146_097) {
            let text = WallClock.rfc3339(seconds: number * 86_400, milliseconds: 0)
            guard text == "\(year)-\(padded(month))-\(padded(day))T00:00:00.000Z" else {
                Issue.record("day \(number): \(text), not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2370, 1, 1))
    }

    @Test func `the current time has the format of every time`() {
        let text = WallClock.rfc3339()
        #expect(text.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    /// Checked with `date -u -R -d @SECONDS`. The second one is from RFC 9110.
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (1_772_366_405, "Sun, 01 Mar 2026 12:00:05 GMT"),
        (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
    ])
    func `a date has the format of HTTP`(seconds: Int64, text: String) {
        #expect(WallClock.httpDate(seconds: seconds) == text)
    }

    @Test func `the date is the current one`() {
        // The year is that before or after the date was read.
        let before = WallClock.rfc3339()
        let date = WallClock.httpDate()
        let after = WallClock.rfc3339()
        #expect(
            date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] 20\d\d \d\d:\d\d:\d\d GMT/) != nil)
        #expect([before, after].contains { $0.prefix(4) == date.dropFirst(12).prefix(4) })
    }

    @Test func `the monotonic clock does not go back`() {
        let first = MonotonicInstant.now()
        let second = MonotonicInstant.now()
        #expect(first <= second)
        #expect(second - first >= .zero)
    }

    @Test func `instants saturate`() {
        let instant = MonotonicInstant(nanoseconds: 5)
        #expect(instant + .nanoseconds(7) == MonotonicInstant(nanoseconds: 12))
        #expect(instant + .nanoseconds(-7) == MonotonicInstant(nanoseconds: -2))
        #expect(instant + .seconds(Int64.max) == MonotonicInstant(nanoseconds: .max))
        #expect(MonotonicInstant(nanoseconds: .max) + .nanoseconds(1) == MonotonicInstant(nanoseconds: .max))
        #expect(MonotonicInstant(nanoseconds: -5) + .seconds(Int64.min) == MonotonicInstant(nanoseconds: .min))
        #expect(MonotonicInstant(nanoseconds: 9) - MonotonicInstant(nanoseconds: 12) == .nanoseconds(-3))
    }

    @Test func `durations saturate`() {
        #expect(Duration.milliseconds(250).clampedNanoseconds == 250_000_000)
        #expect(Duration.zero.clampedNanoseconds == 0)
        #expect(Duration.seconds(-2).clampedNanoseconds == -2_000_000_000)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 999_999_999).clampedNanoseconds == 0)
        #expect(Duration.seconds(Int64.max).clampedNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).clampedNanoseconds == .min)
        let edge = Int64.max / 1_000_000_000
        let most = Int64(999_999_999_999_999_999)
        #expect(Duration(secondsComponent: edge, attosecondsComponent: most).clampedNanoseconds == .max)
        #expect(Duration(secondsComponent: -edge, attosecondsComponent: -most).clampedNanoseconds == .min)
        #expect(Duration.milliseconds(1500).secondsAsDouble == 1.5)
    }
}
