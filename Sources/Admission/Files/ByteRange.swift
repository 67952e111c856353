internal import HTTP1

/// One range of bytes that a request asks for (RFC 9110 section 14.1.2).
enum ByteRange: Equatable, Sendable {
    /// From a byte on, up to another one or to the end.
    case from(Int, to: Int?)
    /// The last bytes.
    case last(Int)

    /// Reads the value of Range.
    ///
    /// - Returns: nil for several ranges, another unit, and what cannot be read: then all of the file is sent.
    init?(_ text: String) {
        let unit = "bytes="
        guard text.prefix(unit.utf8.count).equalsIgnoringCase(unit) else { return nil }
        let parts = text.dropFirst(unit.utf8.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch (Self.number(parts[0]), Self.number(parts[1])) {
        case (let first?, let last?) where last >= first: self = .from(first, to: last)
        case (let first?, nil) where parts[1].isEmpty: self = .from(first, to: nil)
        case (nil, let count?) where parts[0].isEmpty: self = .last(count)
        default: return nil
        }
    }

    /// The bytes that it has of a file of so many; nil if it has none.
    func resolved(in size: Int) -> Range<Int>? {
        switch self {
        case .from(let first, let last):
            guard first < size else { return nil }
            return first..<min(last ?? size, size - 1) + 1
        case .last(let count):
            guard count > 0, size > 0 else { return nil }
            return max(0, size - count)..<size
        }
    }

    /// A number of any length: beyond all files it is as good as the largest.
    private static func number(_ digits: Substring) -> Int? {
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int(digits) ?? .max
    }
}
