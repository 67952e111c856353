import Balancing
import Testing

@Suite struct RateBucketTests {
    /// Takes one at a time as soon as it may, and says at which nanosecond.
    private func times(_ count: Int, of amount: Int = 1, rate: Double, from start: Int64 = 0) -> [Int64] {
        var bucket = RateBucket()
        var now = start
        return (0..<count).map { _ in
            now += bucket.wait(for: amount, at: now, rate: rate)
            bucket.take(amount, at: now, rate: rate)
            return now
        }
    }

    @Test(
        arguments: [
            // It begins full, with a second's worth, and then gives at its rate.
            (1, 10.0, 12, [Int64](repeating: 0, count: 10) + [100_000_000, 200_000_000]),
            (1, 3, 5, [0, 0, 0, 333_333_332, 666_666_665]),
            // Below one a second it holds one.
            (1, 0.5, 3, [0, 2_000_000_000, 4_000_000_000]),
            (4, 10, 4, [0, 0, 200_000_000, 600_000_000]),
            // More than it holds is given when it is full; then the level is below zero.
            (25, 10, 3, [0, 2_500_000_000, 5_000_000_000]),
            // What is nothing waits for nothing.
            (0, 1, 3, [0, 0, 0]),
        ] as [(Int, Double, Int, [Int64])])
    func `what may be taken when`(_ amount: Int, _ rate: Double, _ count: Int, _ expected: [Int64]) {
        #expect(self.times(count, of: amount, rate: rate) == expected)
        // Whatever the clock's zero is.
        let later: Int64 = 1 << 55
        #expect(self.times(count, of: amount, rate: rate, from: later) == expected.map { $0 + later })
    }

    @Test func `no time brings more than a second's worth`() {
        var bucket = RateBucket()
        for _ in 0..<5 { bucket.take(1, at: 0, rate: 5) }
        #expect(bucket.wait(for: 1, at: 0, rate: 5) == 200_000_000)
        let later: Int64 = 3_600_000_000_000
        for _ in 0..<5 {
            #expect(bucket.wait(for: 1, at: later, rate: 5) == 0)
            bucket.take(1, at: later, rate: 5)
        }
        #expect(bucket.wait(for: 1, at: later, rate: 5) == 200_000_000)
    }

    @Test func `what is below zero is paid before anything else`() {
        var bucket = RateBucket()
        bucket.take(100, at: 0, rate: 10)
        #expect(bucket.wait(for: 1, at: 0, rate: 10) == 9_100_000_000)
        #expect(bucket.wait(for: 1, at: 9_100_000_000, rate: 10) == 0)
    }

    @Test func `another rate keeps what is missing`() {
        var bucket = RateBucket()
        bucket.take(20, at: 0, rate: 10)
        bucket.change(from: 10, to: 100, at: 0)
        // 20 are missing of 100.
        #expect(bucket.wait(for: 80, at: 0, rate: 100) == 0)
        #expect(bucket.wait(for: 81, at: 0, rate: 100) == 10_000_000)
    }

    @Test func `amounts that no clock can count do not overflow`() {
        var bucket = RateBucket()
        for _ in 0..<10 { bucket.take(.max, at: .max - 5, rate: 0.01) }
        #expect(bucket.wait(for: 1, at: .max - 5, rate: 0.01) >= 0)
        bucket.change(from: 1, to: 1_000_000, at: 0)
        #expect(bucket.wait(for: .max, at: 0, rate: 1_000_000) >= 0)
    }
}
