/// A number of bytes.
public struct ByteCount: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In bytes.
    public var rawValue: Int

    /// `rawValue` is in bytes.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// So many bytes.
    public static func bytes(_ count: Int) -> Self { Self(rawValue: count) }
    /// So many times 1,024 bytes.
    public static func kibibytes(_ count: Int) -> Self { Self(rawValue: count << 10) }
    /// So many times 1,048,576 bytes.
    public static func mebibytes(_ count: Int) -> Self { Self(rawValue: count << 20) }
    /// Fewer bytes come first.
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
