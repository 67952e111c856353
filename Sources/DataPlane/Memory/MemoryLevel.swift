/// How much of the bound is in use.
///
/// It falls a sixteenth below where it rises, so that one message more or less does not move it back and forth.
public enum MemoryLevel: Int, Comparable, Sendable {
    /// There is room.
    case ample
    /// Three quarters are in use: the rest is for messages that were begun.
    case scarce
    /// The bound is reached: nothing that is held may grow.
    case full

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The level at which `total` of `limit` bytes are in use, where it was this one before.
    public func next(total: Int, limit: Int) -> MemoryLevel {
        let sixteenth = limit / 16
        let full = self == .full ? sixteenth * 15 : limit
        let scarce = self == .ample ? sixteenth * 12 : sixteenth * 11
        if total >= full { return .full }
        return total >= scarce ? .scarce : .ample
    }
}
