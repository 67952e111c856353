/// A number of bytes.
package struct ByteCount: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package var rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static func bytes(_ count: Int) -> Self { Self(rawValue: count) }
    package static func kibibytes(_ count: Int) -> Self { Self(rawValue: count << 10) }
    package static func mebibytes(_ count: Int) -> Self { Self(rawValue: count << 20) }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// As the file writes it: `64KiB`, or a plain number.
    package var description: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where self.rawValue > 0 && self.rawValue & (1 << shift - 1) == 0 {
            return "\(self.rawValue >> shift)\(unit)"
        }
        return String(self.rawValue)
    }
}
