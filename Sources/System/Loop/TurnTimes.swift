/// A histogram of the length of a loop's turns, from the end of a wait to the beginning of the next.
public struct TurnTimes: Hashable, Sendable {
    /// Upper bounds in nanoseconds, ascending and inclusive.
    public static let bounds: [Int64] = [
        TurnTimes.shortest, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 1_000_000_000,
    ]

    /// The first bound. Most turns are within it, and are counted separately, because this costs nearly every message.
    private static let shortest: Int64 = 50_000

    private var short: UInt64 = 0
    private var others = [UInt64](repeating: 0, count: TurnTimes.bounds.count)
    /// The sum of all turns.
    public private(set) var nanoseconds: Int64 = 0

    /// For each bound the number of turns up to it and above the one before. The last is the number above all bounds.
    public var counts: [UInt64] { [self.short] + self.others }

    /// No turn was counted yet.
    public init() {}

    /// Counts a turn.
    ///
    /// - Parameter nanoseconds: its length.
    public mutating func observe(_ nanoseconds: Int64) {
        self.nanoseconds &+= nanoseconds
        if nanoseconds <= Self.shortest { self.short &+= 1 } else { self.observeLong(nanoseconds) }
    }

    @inline(never)
    private mutating func observeLong(_ nanoseconds: Int64) {
        let bound = Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count
        self.others[bound - 1] &+= 1
    }

    /// Adds the turns of another loop.
    public mutating func add(_ other: TurnTimes) {
        self.short &+= other.short
        for (index, count) in other.others.enumerated() { self.others[index] &+= count }
        self.nanoseconds &+= other.nanoseconds
    }
}
