/// How much of the bound is in use.
///
/// It falls a sixteenth of the bound below where it rises, so that one message more or less does not flip it.
public enum MemoryLevel: Int, Comparable, Sendable {
    /// Messages may begin.
    case ample
    /// Three quarters are in use: the rest is for messages already begun.
    case scarce
    /// The bound is reached: nothing that is held may grow.
    case full

    /// Less of the bound in use.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The level for `total` of `limit` bytes, if it is this one now.
    public func next(total: Int, limit: Int) -> MemoryLevel {
        let sixteenth = limit / 16
        let full = self == .full ? sixteenth * 15 : limit
        let scarce = self == .ample ? sixteenth * 12 : sixteenth * 11
        if total >= full { return .full }
        return total >= scarce ? .scarce : .ample
    }
}
