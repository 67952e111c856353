/// A number of bytes.
public struct ByteCount: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static func bytes(_ count: Int) -> Self { Self(rawValue: count) }
    public static func kibibytes(_ count: Int) -> Self { Self(rawValue: count << 10) }
    public static func mebibytes(_ count: Int) -> Self { Self(rawValue: count << 20) }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// As the file writes it: `64KiB`, or a plain number.
    public var description: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where self.rawValue > 0 && self.rawValue & (1 << shift - 1) == 0 {
            return "\(self.rawValue >> shift)\(unit)"
        }
        return String(self.rawValue)
    }
}
