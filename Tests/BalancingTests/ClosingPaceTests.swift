import Balancing
import TestSupport
import Testing

@Suite struct ClosingPaceTests {
    struct Row: Sendable {
        let count: Int
        let over: Duration
        let rate: Double?
        /// With the jitter 0 and, if that differs, 0.5.
        let times: [Duration]
        let late: [Duration]
        let end: Duration

        init(
            _ count: Int, over: Duration, rate: Double? = nil, _ times: [Duration], late: [Duration]? = nil,
            end: Duration
        ) {
            self.count = count
            self.over = over
            self.rate = rate
            self.times = times
            self.late = late ?? times
            self.end = end
        }
    }

    @Test(arguments: [
        Row(0, over: .seconds(30), [], end: .zero),
        Row(0, over: .seconds(30), rate: 5, [], end: .zero),
        Row(-1, over: .seconds(30), [], end: .zero),
        Row(1, over: .seconds(30), [.zero], end: .seconds(30)),
        Row(3, over: .zero, [.zero, .zero, .zero], end: .zero),
        Row(3, over: .seconds(-3), [.zero, .zero, .zero], end: .zero),
        Row(
            3, over: .seconds(30), [.zero, .seconds(10), .seconds(20)], late: [.zero, .seconds(15), .seconds(25)],
            end: .seconds(30)),
        // The rate wins over `over` and leaves no room for jitter.
        Row(3, over: .seconds(3), rate: 0.5, [.zero, .seconds(2), .seconds(4)], end: .seconds(6)),
        Row(3, over: .zero, rate: 10, [.zero, .milliseconds(100), .milliseconds(200)], end: .milliseconds(300)),
        // A rate that is kept anyway only reduces the jitter.
        Row(
            3, over: .seconds(30), rate: 0.125, [.zero, .seconds(10), .seconds(20)],
            late: [.zero, .seconds(11), .seconds(21)], end: .seconds(30)),
        Row(
            2, over: .seconds(2), rate: .infinity, [.zero, .seconds(1)], late: [.zero, .milliseconds(1500)],
            end: .seconds(2)),
        Row(2, over: .zero, rate: 0, [.zero, .seconds(86_400)], end: .seconds(172_800)),
        Row(2, over: .zero, rate: -1, [.zero, .seconds(86_400)], end: .seconds(172_800)),
        Row(2, over: .zero, rate: .nan, [.zero, .seconds(86_400)], end: .seconds(172_800)),
    ])
    func `closes have their times and the pace its end`(_ row: Row) {
        let pace = ClosingPace(count: row.count, over: row.over, rate: row.rate)
        #expect(row.times.indices.map { pace.time(ofSlot: $0, jitter: 0) } == row.times)
        #expect(row.late.indices.map { pace.time(ofSlot: $0, jitter: 0.5) } == row.late)
        #expect(pace.end == row.end)
    }

    private static let paces: [(count: Int, over: Duration, rate: Double?)] = [
        (2_000, .seconds(20), nil), (2_000, .seconds(20), 100), (2_000, .seconds(20), 99), (2_000, .seconds(20), 150),
        (500, .zero, 7), (100, .seconds(1), 3), (100, .seconds(30), 2.5), (50, .seconds(10), 0.3),
        (1_000, .milliseconds(1), 1e6), (5, .seconds(7), nil),
    ]

    /// Each close is in its own slot, in order, whatever the jitter. The last one is before the end.
    @Test(arguments: Self.paces.indices)
    func `every close is in its slot`(_ index: Int) {
        let (count, over, rate) = Self.paces[index]
        let pace = ClosingPace(count: count, over: over, rate: rate)
        var generator = SeededGenerator(seed: UInt64(index))
        for slot in 0..<count {
            let jitter = Double.random(in: 0..<1, using: &generator)
            let time = pace.time(ofSlot: slot, jitter: jitter)
            #expect(pace.interval * slot <= time && time < pace.interval * (slot + 1))
            #expect(time <= pace.end)
        }
        #expect(pace.time(ofSlot: 0, jitter: 0.999) == .zero)
        #expect(pace.end >= over - .nanoseconds(1))
    }

    /// No second, wherever it starts, has more closes than the rate, with random and with the worst jitter.
    @Test(arguments: Self.paces.indices, [nil, 0, 0.999_999] as [Double?])
    func `no second has more closes than the rate`(_ index: Int, _ always: Double?) {
        let (count, over, rate) = Self.paces[index]
        guard let rate else { return }
        let pace = ClosingPace(count: count, over: over, rate: rate)
        var generator = SeededGenerator(seed: UInt64(index))
        let times = (0..<count).map { slot in
            pace.time(ofSlot: slot, jitter: always ?? Double.random(in: 0..<1, using: &generator))
        }
        var first = 0
        for last in times.indices {
            while times[last] - times[first] >= .seconds(1) { first += 1 }
            #expect(last - first + 1 <= Int(rate.rounded(.up)))
        }
    }

    /// Jitter spreads closes over all of their slots.
    @Test func `jitter spreads closes within their slots`() {
        let pace = ClosingPace(count: 1_000, over: .seconds(1_000), rate: nil)
        var generator = SeededGenerator(seed: 3)
        let parts = (1..<1_000).map { slot in
            (pace.time(ofSlot: slot, jitter: Double.random(in: 0..<1, using: &generator)) - .seconds(slot))
                / .seconds(1)
        }
        for tenth in 0..<10 { #expect(parts.count { Int($0 * 10) == tenth } > 60) }
    }

    @Test(
        arguments: [[], [0], [5], [0, 0], [3, 0, 2], [1, 1, 1], [250, 3, 250, 97], [-1, 2]], [1, 2] as [UInt64])
    func `every slot is dealt once`(_ counts: [Int], _ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let dealt = ClosingPace.deal(counts, using: &generator)
        #expect(dealt.map(\.count) == counts.map { max(0, $0) })
        #expect(dealt.allSatisfy { $0 == $0.sorted() })
        #expect(dealt.joined().sorted() == Array(0..<counts.reduce(0) { $0 + max(0, $1) }))
    }

    /// No worker comes first: the mean of its slots is near the middle.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `all workers close from start to end`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for slots in ClosingPace.deal([1_000, 1_000, 1_000], using: &generator) {
            #expect((1_400...1_600).contains(slots.reduce(0, +) / 1_000))
            #expect(slots.first! < 30 && slots.last! > 2_970)
        }
    }
}
