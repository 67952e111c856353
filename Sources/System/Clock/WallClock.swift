internal import Glibc

/// The time of day, for logs, answers and the clock service. Deadlines use `MonotonicInstant`.
public enum WallClock {
    /// How long it is since 1970-01-01 00:00 UTC, without leap seconds.
    public static func sinceEpoch() -> Duration {
        var time = timespec()
        // The kernel writes this one record.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// Now, as RFC 3339 in UTC with milliseconds: `2026-03-01T12:00:00.000Z`.
    public static func rfc3339() -> String {
        var time = timespec()
        // The kernel writes this one record.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return self.rfc3339(seconds: Int64(time.tv_sec), milliseconds: Int(time.tv_nsec) / 1_000_000)
    }

    /// That time, likewise.
    ///
    /// - Parameter time: since 1970-01-01 00:00 UTC, without leap seconds.
    public static func rfc3339(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        return self.rfc3339(seconds: seconds, milliseconds: Int(attoseconds / 1_000_000_000_000_000))
    }

    /// That time as RFC 3339 in UTC with microseconds.
    ///
    /// - Parameter time: since 1970-01-01 00:00 UTC, without leap seconds.
    public static func rfc3339Micros(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        return self.rfc3339(seconds: seconds, fraction: Int(attoseconds / 1_000_000_000_000), digits: 6)
    }

    /// That time, likewise.
    ///
    /// - Parameter seconds: since 1970-01-01 00:00 UTC, without leap seconds.
    public static func rfc3339(seconds: Int64, milliseconds: Int = 0) -> String {
        self.rfc3339(seconds: seconds, fraction: milliseconds, digits: 3)
    }

    private static func rfc3339(seconds: Int64, fraction: Int, digits: Int) -> String {
        let (year, month, day) = self.civil(daysSince1970: seconds / 86_400)
        let second = Int(seconds % 86_400)
        var text: [UInt8] = []
        text.reserveCapacity(21 + digits)
        func append(_ number: Int, width: Int, _ separator: Unicode.Scalar) {
            var unit = 1
            for _ in 1..<width { unit *= 10 }
            while unit > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
                unit /= 10
            }
            text.append(UInt8(ascii: separator))
        }
        append(year, width: 4, "-")
        append(month, width: 2, "-")
        append(day, width: 2, "T")
        append(second / 3600, width: 2, ":")
        append(second / 60 % 60, width: 2, ":")
        append(second % 60, width: 2, ".")
        append(fraction, width: digits, "Z")
        return String(decoding: text, as: UTF8.self)
    }

    private static let weekdays = Array("SunMonTueWedThuFriSat".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// Now, in the format of `Date` (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// It uses the kernel's coarse clock, which is cheap and exact to a few milliseconds.
    public static func httpDate() -> String { self.httpDate(seconds: self.coarseSeconds()) }

    /// That time, likewise; the present in place of a later one, and 1970 in place of an earlier one.
    ///
    /// - Parameter seconds: since 1970-01-01 00:00 UTC, without leap seconds.
    public static func httpDate(upToNow seconds: Int64) -> String {
        self.httpDate(seconds: max(0, min(seconds, self.coarseSeconds())))
    }

    private static func coarseSeconds() -> Int64 {
        var time = timespec()
        // The kernel writes this one record.
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec)
    }

    /// That time, likewise.
    ///
    /// - Parameter seconds: since 1970-01-01 00:00 UTC, without leap seconds.
    public static func httpDate(seconds: Int64) -> String {
        let days = seconds / 86_400
        let (year, month, day) = self.civil(daysSince1970: days)
        let second = Int(seconds % 86_400)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        func append(_ number: Int, _ separator: String.UTF8View) {
            text.append(UInt8(ascii: "0") + UInt8(number / 10 % 10))
            text.append(UInt8(ascii: "0") + UInt8(number % 10))
            text += separator
        }
        // 1970-01-01 was a Thursday.
        let weekday = Int((days + 4) % 7)
        text += self.weekdays[(3 * weekday)..<(3 * weekday + 3)]
        text += ", ".utf8
        append(day, " ".utf8)
        text += self.months[(3 * month - 3)..<(3 * month)]
        text.append(UInt8(ascii: " "))
        append(year / 100, "".utf8)
        append(year % 100, " ".utf8)
        append(second / 3600, ":".utf8)
        append(second / 60 % 60, ":".utf8)
        append(second % 60, " GMT".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    /// The Gregorian date. It counts years that begin in March, so that a leap day is the last day of its year.
    private static func civil(daysSince1970: Int64) -> (year: Int, month: Int, day: Int) {
        let days = Int(daysSince1970) + 719_468  // since 0000-03-01
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
