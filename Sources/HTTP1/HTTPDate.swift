/// A date in a field (RFC 9110 section 5.6.7), to the second.
public struct HTTPDate: Equatable, Sendable {
    /// Since 1970-01-01 00:00 UTC, without leap seconds.
    public let seconds: Int64

    /// Reads one of the three formats that a recipient has to know: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
    /// `Sun Nov  6 08:49:37 1994`. The day of the week is not looked at.
    ///
    /// - Returns: nil for anything else, and for a day or time that does not exist.
    public init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: true)
        let date: Date?
        let time: Substring
        if parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT" {
            date = Date(day: parts[1], month: parts[2], year: parts[3], digits: 4)
            time = parts[4]
        } else if parts.count == 4, parts[0].hasSuffix(","), parts[3] == "GMT" {
            let fields = parts[1].split(separator: "-", omittingEmptySubsequences: false)
            date = fields.count == 3 ? Date(day: fields[0], month: fields[1], year: fields[2], digits: 2) : nil
            time = parts[2]
        } else if parts.count == 5 {
            date = Date(day: parts[2], month: parts[1], year: parts[4], digits: 4)
            time = parts[3]
        } else {
            return nil
        }
        guard let date, let second = Self.second(time) else { return nil }
        self.seconds = Int64(date.daysSince1970) * 86_400 + Int64(second)
    }

    /// Of the day. A leap second counts as the first of the next minute.
    private static func second(_ text: Substring) -> Int? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 3, let hour = number(fields[0], digits: 2), let minute = number(fields[1], digits: 2),
            let second = number(fields[2], digits: 2), hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private struct Date {
        let year: Int
        /// From 1.
        let month: Int
        let day: Int

        private static let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]

        init?(day: Substring, month: Substring, year: Substring, digits: Int) {
            guard let day = number(day, digits: day.utf8.count == 1 ? 1 : 2),
                let month = Self.months.firstIndex(of: String(month)), var year = number(year, digits: digits)
            else { return nil }
            // Two digits were last written in the last century.
            if digits == 2 { year += year < 70 ? 2000 : 1900 }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            guard day >= 1, day <= lengths[month] else { return nil }
            self.year = year
            self.month = month + 1
            self.day = day
        }

        /// It counts years that begin in March, so that a leap day is the last day of its year.
        var daysSince1970: Int {
            let year = self.month > 2 ? self.year : self.year - 1
            let era = (year >= 0 ? year : year - 399) / 400
            let yearOfEra = year - era * 400
            let dayOfYear = (153 * (self.month > 2 ? self.month - 3 : self.month + 9) + 2) / 5 + self.day - 1
            return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        }
    }
}

/// A number of exactly so many digits.
private func number(_ text: Substring, digits: Int) -> Int? {
    guard text.utf8.count == digits, text.utf8.allSatisfy(\.isDigit) else { return nil }
    return Int(text)
}
