/// Counts any number of durations in 57 KiB of buckets that are exact to 1 part in 128.
struct Histogram {
    private static let bits = 7
    private static let width = 1 << Self.bits

    private var counts = [Int](repeating: 0, count: (64 - Self.bits) * Self.width)
    private(set) var count = 0
    private(set) var maximum: Int64 = 0

    /// Counts `nanoseconds`, `times` times. A negative duration counts as none.
    mutating func record(_ nanoseconds: Int64, times: Int = 1) {
        let value = max(nanoseconds, 0)
        self.counts[Self.bucket(of: value)] += times
        self.count += times
        self.maximum = max(self.maximum, value)
    }

    mutating func removeAll() { self = Histogram() }

    /// The nanoseconds that `share` (0 to 1) of the durations did not exceed, rounded up to the end of their bucket.
    func quantile(_ share: Double) -> Int64 {
        let rank = max(Int((Double(self.count) * share).rounded(.up)), 1)
        var seen = 0
        for (bucket, count) in self.counts.enumerated() {
            seen += count
            if seen >= rank { return min(Self.upperBound(of: bucket), self.maximum) }
        }
        return 0
    }

    /// The buckets that are not empty, in order; no duration is longer than its bucket's bound.
    var buckets: [(upperBound: Int64, count: Int)] {
        self.counts.enumerated().compactMap { bucket, count in
            count == 0 ? nil : (min(Self.upperBound(of: bucket), self.maximum), count)
        }
    }

    private static func bucket(of value: Int64) -> Int {
        let shift = max(63 - value.leadingZeroBitCount - Self.bits, 0)
        return shift << Self.bits + Int(value >> shift)
    }

    private static func upperBound(of bucket: Int) -> Int64 {
        let shift = max(bucket >> Self.bits - 1, 0)
        let value = Int64(bucket - shift << Self.bits)
        return (value + 1) << shift - 1
    }
}
