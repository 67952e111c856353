public import System

/// How often something took how long.
public struct Histogram: Equatable, Sendable {
    /// Upper bounds in seconds, ascending and inclusive.
    private let bounds: [Double]
    /// For each bound the observations above the bound before it; at the end those above all bounds.
    private var counts: [UInt64]
    private var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        self.counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public init(_ turns: TurnTimes) {
        self.bounds = TurnTimes.bounds.map { Double($0) / 1e9 }
        self.counts = turns.counts
        self.sum = Double(turns.nanoseconds) / 1e9
    }

    public mutating func observe(_ duration: Duration) {
        let seconds = duration.secondsAsDouble
        let index = self.bounds.firstIndex { seconds <= $0 } ?? self.bounds.count
        self.counts[index] += 1
        self.sum += seconds
    }

    /// Adds the observations of another one with the same bounds.
    public mutating func add(_ other: Histogram) {
        for (index, count) in other.counts.enumerated() { self.counts[index] += count }
        self.sum += other.sum
    }

    /// Cumulative, as a scrape has it.
    public var value: MetricFamily.Value {
        var total: UInt64 = 0
        let buckets = zip(self.bounds + [.infinity], self.counts).map { bound, count in
            total += count
            return (bound: bound, count: total)
        }
        return .histogram(buckets: buckets, sum: self.sum)
    }
}

extension Histogram {
    /// For opening handshakes: their limit is usually ten seconds.
    public static let ofHandshakes = Histogram(
        bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
    /// For sessions, which last from a moment to days.
    public static let ofSessions = Histogram(bounds: [0.1, 1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400])
    /// For round trips: within a machine, a continent, the world.
    public static let ofPings = Histogram(
        bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
}
