internal import HTTP1

/// Readers for the values of keys that count something.
enum Quantity {
    /// A whole number within bounds, in decimal digits.
    ///
    /// - Parameter word: A word that may stand in its place, for the message.
    static func count(
        _ range: ClosedRange<Int>, or word: String? = nil
    ) -> @Sendable (String) throws(Mistake) -> Int {
        { text throws(Mistake) in
            guard let number = self.digits(text[...]), range.contains(number) else {
                let others = word.map { "`\($0)` or " } ?? ""
                throw .expected("\(others)a number from \(range.lowerBound) to \(range.upperBound)", not: text)
            }
            return number
        }
    }

    /// `250ms`, `10s`, `5m` or `1h`, within bounds.
    static func duration(_ range: ClosedRange<Duration>) -> @Sendable (String) throws(Mistake) -> Duration {
        { text throws(Mistake) in
            let expected = "a duration such as `250ms`, `10s`, `5m` or `1h`"
            let number = text.prefix { $0.isASCII && $0.isNumber }
            guard let count = self.digits(number) else { throw .expected(expected, not: text) }
            let milliseconds: Int
            switch text[number.endIndex...] {
            case "ms": milliseconds = 1
            case "s": milliseconds = 1000
            case "m": milliseconds = 60_000
            case "h": milliseconds = 3_600_000
            case "": throw .expected(expected, not: text, hint: "did you mean `\(text)s`?")
            default: throw .expected(expected, not: text)
            }
            let (total, overflow) = count.multipliedReportingOverflow(by: milliseconds)
            guard !overflow, range.contains(.milliseconds(total)) else {
                throw .expected("from `\(range.lowerBound.shown)` to `\(range.upperBound.shown)`", not: text)
            }
            return .milliseconds(total)
        }
    }

    /// A rate per second, within bounds: `20`, `20/s` or `0.5/s`.
    static func rate(_ range: ClosedRange<Double>) -> @Sendable (String) throws(Mistake) -> Double {
        { text throws(Mistake) in
            let number = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
            let parts = number.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && self.digits($0) != nil }),
                let rate = Double(number)
            else { throw .expected("a rate per second, such as `20`, `20/s` or `0.5/s`", not: text) }
            guard range.contains(rate) else {
                throw .expected("from `\(self.text(range.lowerBound))` to `\(self.text(range.upperBound))`", not: text)
            }
            return rate
        }
    }

    /// `64KiB`, `1MiB`, `1GiB` or a number of bytes, within bounds.
    static func size(_ range: ClosedRange<ByteCount>) -> @Sendable (String) throws(Mistake) -> ByteCount {
        { text throws(Mistake) in
            let expected = "a size such as `65536`, `64KiB` or `1MiB`"
            let number = text.prefix { $0.isASCII && $0.isNumber }
            guard let count = self.digits(number) else { throw .expected(expected, not: text) }
            let shift: Int
            switch text[number.endIndex...] {
            case "", "B": shift = 0
            case "KiB": shift = 10
            case "MiB": shift = 20
            case "GiB": shift = 30
            case "K", "k", "KB", "kB", "kb", "Kib", "kib", "kiB":
                throw .expected(expected, not: text, hint: "did you mean `\(number)KiB`?")
            case "M", "m", "MB", "mB", "mb", "Mib", "mib", "miB":
                throw .expected(expected, not: text, hint: "did you mean `\(number)MiB`?")
            case "G", "g", "GB", "gB", "gb", "Gib", "gib", "giB":
                throw .expected(expected, not: text, hint: "did you mean `\(number)GiB`?")
            default: throw .expected(expected, not: text)
            }
            let (total, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
            guard !overflow, range.contains(.bytes(total)) else {
                throw .expected("from `\(range.lowerBound)` to `\(range.upperBound)`", not: text)
            }
            return .bytes(total)
        }
    }

    /// A number of decimal digits only; `nil` also where it does not fit in an `Int`.
    private static func digits(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int(text)
    }

    /// A rate as the file writes it.
    static func text(_ rate: Double) -> String {
        rate == rate.rounded() ? "\(Int(rate))/s" : "\(rate)/s"
    }
}

extension Duration {
    /// As the configuration writes it: `24h`, `2s`, `250ms`.
    public var shown: String {
        let (seconds, attoseconds) = self.components
        guard attoseconds == 0 else { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        return seconds > 0 && seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s"
    }
}

extension Duration {
    /// Reads `250ms`, `10s`, `5m` or `1h`, as the file has them; `nil` for what is not one, or not within bounds.
    public init?(written text: String, within range: ClosedRange<Duration>) {
        guard let duration = try? Quantity.duration(range)(text) else { return nil }
        self = duration
    }
}
