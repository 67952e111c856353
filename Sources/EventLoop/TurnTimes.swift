/// How long the turns of a loop took, from the end of a wait to the beginning of the next.
package struct TurnTimes: Hashable, Sendable {
    /// Upper bounds in nanoseconds, ascending and inclusive.
    package static let bounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 1_000_000_000,
    ]

    /// For each bound what is above the one before it, and at the end what is above all of them.
    package private(set) var counts = [UInt64](repeating: 0, count: TurnTimes.bounds.count + 1)
    /// Of all turns together.
    package private(set) var nanoseconds: Int64 = 0

    package init() {}

    /// - Parameter nanoseconds: that a turn took.
    package mutating func observe(_ nanoseconds: Int64) {
        var index = 0
        // Most turns are in the first ones.
        while index < Self.bounds.count, nanoseconds > Self.bounds[index] { index += 1 }
        self.counts[index] &+= 1
        self.nanoseconds &+= nanoseconds
    }

    /// Adds the turns of another loop.
    package mutating func add(_ other: TurnTimes) {
        for (index, count) in other.counts.enumerated() { self.counts[index] &+= count }
        self.nanoseconds &+= other.nanoseconds
    }
}
