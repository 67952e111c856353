import Balancing
import TestSupport
import Testing

@Suite struct WeightedTurnsTests {
    typealias Candidate = EndpointChoice.Candidate

    private var choice = EndpointChoice(.roundRobin)
    private var generator = SeededGenerator(seed: 0)

    private mutating func turns(_ count: Int, among candidates: [Candidate]) -> [Int?] {
        (0..<count).map { _ in self.choice.choose(among: candidates, for: .any, using: &self.generator) }
    }

    /// Sequences worked out by hand. Each repeats after its last turn.
    @Test(
        arguments: [
            ([1, 1, 1], [0, 1, 2]),
            ([7], [0]),
            ([2, 1], [0, 1, 0]),
            ([5, 1, 1], [0, 0, 1, 0, 2, 0, 0]),
            ([1, 2, 3], [2, 1, 0, 2, 1, 2]),
            ([0.5, 0.25, 0.25], [0, 1, 2, 0]),
            ([3, 0, 1], [0, 0, 2, 0]),
            ([0, 0], [0, 1]),
        ] as [([Double], [Int])])
    mutating func `turns of a heavy endpoint are spread`(_ weights: [Double], _ expected: [Int]) {
        #expect(self.turns(3 * expected.count, among: endpoints(weights)) == expected + expected + expected)
    }

    /// After hundreds of rounds of thirds, sevenths and so on, no turn is off by one.
    @Test(arguments: [3, 7, 11, 50])
    mutating func `equal weights get exactly equal turns`(_ count: Int) {
        let candidates = endpoints(Array(repeating: 0.1, count: count))
        let turns = self.turns(5_000, among: candidates)
        #expect(turns.enumerated().allSatisfy { $0 % count == $1 })
    }

    /// At every moment each endpoint has had its share, within two turns.
    @Test(arguments: [[1, 1], [1, 9], [0.3, 0.7, 2.2], [100, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8]])
    mutating func `shares hold at every moment`(_ weights: [Double]) {
        let total = weights.reduce(0, +)
        var had = weights.map { _ in 0.0 }
        var furthest = 0.0
        for (number, place) in self.turns(5_000, among: endpoints(weights)).enumerated() {
            had[place!] += 1
            for (count, weight) in zip(had, weights) {
                furthest = max(furthest, abs(count - Double(number + 1) * weight / total))
            }
        }
        #expect(furthest < 2)
    }

    @Test mutating func `an endpoint that is down costs no other its turn`() {
        var candidates = endpoints([1, 1, 1])
        #expect(self.turns(2, among: candidates) == [0, 1])
        candidates[2].isAvailable = false
        #expect(self.turns(4, among: candidates) == [0, 1, 0, 1])
        candidates[2].isAvailable = true
        #expect(self.turns(1, among: candidates) == [2])
        #expect(Set(self.turns(3, among: candidates)) == [0, 1, 2])
    }

    /// After a failed connect the choice is made again without that endpoint. The next round is still complete.
    @Test mutating func `a second choice gives no endpoint more than one extra turn`() {
        let candidates = endpoints([1, 1, 1])
        var withoutFirst = candidates
        withoutFirst[0].isAvailable = false
        var firstTries = [0, 0, 0]
        for _ in 0..<300 {
            let chosen = self.turns(1, among: candidates)[0]!
            firstTries[chosen] += 1
            if chosen == 0 { #expect(self.turns(1, among: withoutFirst)[0] != 0) }
        }
        #expect(firstTries[0] <= 101)
    }

    /// Turns of a heavy endpoint are no debt when it becomes a light one, as when a slow start begins.
    @Test mutating func `a changed weight counts from now on`() {
        _ = self.turns(101, among: endpoints([100, 100]))
        let turns = self.turns(20, among: endpoints([1, 1]))
        #expect(turns.count { $0 == 0 } == 10)
        let later = self.turns(110, among: endpoints([0.1, 1]))
        #expect((9...11).contains(later.count { $0 == 0 }))
    }

    /// While a weight rises, as in a slow start, its share of turns rises with it.
    @Test mutating func `a rising weight gets a rising share`() {
        var expected = 0.0
        var had = 0
        for second in 0..<1_000 {
            let factor = SlowStart.factor(sinceUp: .seconds(second), over: .seconds(1_000))
            expected += factor / (factor + 2)
            had += self.turns(1, among: endpoints([factor, 1, 1]))[0] == 0 ? 1 : 0
            #expect(abs(Double(had) - expected) < 2)
        }
    }

    /// One endpoint after the other leaves for good right after its turn. The ones that replace them do not inherit their debts.
    @Test mutating func `a new endpoint inherits no debt`() {
        var names = (0..<4).map { "endpoint-\($0)" }
        for number in 4..<2_000 {
            let chosen = self.turns(1, among: names.map { Candidate($0) })[0]!
            names[chosen] = "endpoint-\(number)"
        }
        names.append("late")
        let turns = self.turns(50, among: names.map { Candidate($0) })
        #expect((9...11).contains(turns.count { $0 == 4 }))
    }

    /// At every point of a round.
    @Test(arguments: 0...4)
    mutating func `a new endpoint has its turn in the first round`(_ before: Int) {
        _ = self.turns(before, among: endpoints([1, 1, 1, 1]))
        let turns = self.turns(10, among: endpoints([1, 1, 1, 1, 1]))
        #expect(turns.count { $0 == 4 } == 2)
        #expect(turns.prefix(5).contains(4))
    }

    /// An endpoint that leaves and returns each turn, and a list in another order, do not disturb the others.
    @Test mutating func `turns are kept by name`() {
        let candidates = endpoints([1, 1, 1, 1])
        var had = [0, 0, 0, 0]
        for _ in 0..<1_000 {
            let order = [0, 1, 2, 3].shuffled(using: &self.generator)
            let chosen = self.turns(1, among: order.map { candidates[$0] })[0]!
            had[order[chosen]] += 1
            #expect(had.max()! - had.min()! <= 2)
        }
    }

    /// Others go down, come up, leave and arrive, at random or in the worst order. An endpoint that stays up still
    /// has its turn within three rounds.
    @Test(arguments: [1, 2, 3, 4] as [UInt64], [true, false])
    mutating func `no endpoint starves`(_ seed: UInt64, _ chosenLeaves: Bool) {
        self.generator = SeededGenerator(seed: seed)
        var candidates = (0..<8).map { Candidate("endpoint-\($0)") }
        var waited = candidates.map { _ in 0 }
        var longest = 0
        for number in 8..<20_000 {
            let chosen = self.turns(1, among: candidates)[0]!
            for place in waited.indices { waited[place] += 1 }
            waited[chosen] = 0
            longest = max(longest, waited[0], waited[1])
            let place = chosenLeaves ? chosen : Int.random(in: 0..<8, using: &self.generator)
            guard place > 1 else { continue }
            if Bool.random(using: &self.generator) { candidates[place] = Candidate("endpoint-\(number)") }
            candidates[place].isAvailable = Int.random(in: 0..<3, using: &self.generator) > 0
            if let back = (2..<8).randomElement(using: &self.generator) { candidates[back].isAvailable = true }
        }
        #expect(longest <= 24)
    }

    @Test mutating func `backups have turns of their own`() {
        var candidates = [Candidate("a"), Candidate("b", backup: true), Candidate("c", backup: true)]
        #expect(self.turns(2, among: candidates) == [0, 0])
        candidates[0].isAvailable = false
        #expect(self.turns(4, among: candidates) == [1, 2, 1, 2])
        candidates[0].isAvailable = true
        #expect(self.turns(1, among: candidates) == [0])
    }
}
