public import System

/// A distribution of durations.
public struct Histogram: Equatable, Sendable {
    /// Upper bounds in seconds, ascending and inclusive.
    private let bounds: [Double]
    /// The number of observations up to each bound and above the bound before it, and at the end of those above all bounds.
    private var counts: [UInt64]
    private var sum = 0.0

    /// No observations.
    ///
    /// - Parameter bounds: upper bounds of the buckets in seconds, ascending and inclusive.
    public init(bounds: [Double]) {
        self.bounds = bounds
        self.counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// The distribution of a loop's turns.
    public init(_ turns: TurnTimes) {
        self.bounds = TurnTimes.bounds.map { Double($0) / 1e9 }
        self.counts = turns.counts
        self.sum = Double(turns.nanoseconds) / 1e9
    }

    /// Adds an observation.
    public mutating func observe(_ duration: Duration) {
        let seconds = duration.secondsAsDouble
        let index = self.bounds.firstIndex { seconds <= $0 } ?? self.bounds.count
        self.counts[index] += 1
        self.sum += seconds
    }

    /// Adds the observations of another histogram with the same bounds.
    public mutating func add(_ other: Histogram) {
        for (index, count) in other.counts.enumerated() { self.counts[index] += count }
        self.sum += other.sum
    }

    /// The value for a scrape: bucket counts are cumulative.
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
    /// For opening handshakes, which usually have ten seconds at most.
    public static let ofHandshakes = Histogram(
        bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
    /// For sessions, which last up to days.
    public static let ofSessions = Histogram(bounds: [0.1, 1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400])
    /// For round trips: within a machine, within a continent, and around the world.
    public static let ofPings = Histogram(
        bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
}
