import Balancing
import TestSupport
import Testing

/// Which endpoints may be chosen, under every policy.
@Suite struct EndpointChoiceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let candidates: [EndpointChoice.Candidate]
        let eligible: Set<Int>

        init(_ description: String, _ candidates: [EndpointChoice.Candidate], _ eligible: Set<Int>) {
            self.testDescription = description
            self.candidates = candidates
            self.eligible = eligible
        }
    }

    static let rows = [
        Row("none", [], []),
        Row("one", [.init("a")], [0]),
        Row("one that is down", [.init("a", available: false)], []),
        Row("all down", [.init("a", available: false), .init("b", backup: true, available: false)], []),
        Row("one of three down", [.init("a"), .init("b", available: false), .init("c")], [0, 2]),
        Row("backups wait", [.init("a", backup: true), .init("b"), .init("c")], [1, 2]),
        Row("backups wait for the last", [.init("a", available: false), .init("b", backup: true), .init("c")], [2]),
        Row(
            "backups serve", [.init("a", available: false), .init("b", backup: true), .init("c", backup: true)],
            [1, 2]),
        Row(
            "a backup is down too",
            [.init("a", available: false), .init("b", backup: true, available: false), .init("c", backup: true)], [2]),
        Row("only backups", [.init("a", backup: true), .init("b", backup: true)], [0, 1]),
        Row("no weight beside others", [.init("a", weight: 0), .init("b"), .init("c", weight: 0.1)], [1, 2]),
        Row("no weight at all", [.init("a", weight: 0), .init("b", weight: 0)], [0, 1]),
        Row("no weight among those up", [.init("a", weight: 0), .init("b", available: false)], [0]),
        Row("no weight is better than a backup", [.init("a", weight: 0), .init("b", backup: true)], [0]),
        Row(
            "a backup without weight",
            [.init("a", available: false), .init("b", weight: 0, backup: true), .init("c", backup: true)], [2]),
        Row("less than nothing", [.init("a", weight: -1), .init("b")], [1]),
        Row("not a number", [.init("a", weight: .nan), .init("b")], [1]),
        Row("not a number anywhere", [.init("a", weight: .nan), .init("b", weight: .nan)], [0, 1]),
        Row("beyond measure", [.init("a", weight: .infinity), .init("b", weight: .greatestFiniteMagnitude)], [0, 1]),
        Row("hardly anything", [.init("a", weight: .leastNonzeroMagnitude), .init("b", available: false)], [0]),
        Row("hardly anything twice", Array(repeating: .init("a", weight: .leastNonzeroMagnitude), count: 2), [0, 1]),
    ]

    /// Chosen sessions stay open, so the endpoint with the fewest changes.
    @Test(arguments: Way.all, Self.rows)
    func `only an eligible endpoint is chosen`(_ way: Way, _ row: Row) {
        var choice = EndpointChoice(way.policy)
        var generator = SeededGenerator(seed: 1)
        var candidates = row.candidates
        var chosen: Set<Int> = []
        for number in 0..<200 {
            let wish = way.wish(EndpointChoice.key(number))
            guard let place = choice.choose(among: candidates, for: wish, using: &generator) else {
                #expect(row.eligible.isEmpty)
                continue
            }
            candidates[place].sessions += 1
            chosen.insert(place)
        }
        #expect(chosen.isSubset(of: row.eligible))
        // Two with the same name are one for every key.
        let distinct = Set(candidates.map(\.identity)).count
        #expect(way.hasKeys && distinct < candidates.count || chosen == row.eligible)
    }

    /// Endpoints come and go, weights and sessions change, and so do the length and the order of the list.
    @Test(arguments: Way.all, [11, 12, 13] as [UInt64])
    func `the choice is always available`(_ way: Way, _ seed: UInt64) {
        var choice = EndpointChoice(way.policy)
        var generator = SeededGenerator(seed: seed)
        var candidates: [EndpointChoice.Candidate] = []
        let weights = [0, 0, 0.1, 0.37, 1, 1, 2, 5, 100]
        for step in 0..<3_000 {
            if step % 50 == 0 {
                candidates = (0..<Int.random(in: 0...12, using: &generator)).map { .init("endpoint-\($0)") }
                candidates.shuffle(using: &generator)
            }
            for place in candidates.indices where Int.random(in: 0..<4, using: &generator) == 0 {
                candidates[place].isAvailable = Bool.random(using: &generator)
                candidates[place].isBackup = Int.random(in: 0..<4, using: &generator) == 0
                candidates[place].weight = weights.randomElement(using: &generator)!
                candidates[place].sessions = Int.random(in: 0..<20, using: &generator)
            }
            let chosen = choice.choose(among: candidates, for: way.wish(generator.next()), using: &generator)
            let available = candidates.filter(\.isAvailable)
            guard let chosen else {
                #expect(available.isEmpty)
                continue
            }
            #expect(candidates[chosen].isAvailable)
            let rivals = available.filter { $0.isBackup == candidates[chosen].isBackup }
            #expect(!candidates[chosen].isBackup || available.allSatisfy(\.isBackup))
            #expect(candidates[chosen].weight > 0 || rivals.allSatisfy { $0.weight == 0 })
        }
    }

    /// A client comes back to where its state is: also to one without weight, and to a backup beside others.
    @Test(arguments: Way.all.map(\.policy))
    func `an endpoint that is asked for is chosen while it is available`(_ policy: EndpointChoice.Policy) {
        var choice = EndpointChoice(policy)
        var generator = SeededGenerator(seed: 2)
        var candidates: [EndpointChoice.Candidate] = [
            .init("a"), .init("b", sessions: 100), .init("c", weight: 0), .init("d", backup: true),
        ]
        for place in candidates.indices {
            for _ in 0..<5 {
                #expect(choice.choose(among: candidates, for: .candidate(place), using: &generator) == place)
            }
        }
        candidates[1].isAvailable = false
        let places = (0..<20).map { _ in choice.choose(among: candidates, for: .candidate(1), using: &generator) }
        #expect(Set(places) == [0])
        candidates[0].isAvailable = false
        candidates[2].isAvailable = false
        #expect(choice.choose(among: candidates, for: .candidate(1), using: &generator) == 3)
        candidates[3].isAvailable = false
        #expect(choice.choose(among: candidates, for: .candidate(1), using: &generator) == nil)
    }

    @Test func `a reserved endpoint gets only what asks for it`() {
        var choice = EndpointChoice(.roundRobin)
        var generator = SeededGenerator(seed: 3)
        for count in 1...3 {
            var candidates = endpoints(Array(repeating: 1, count: count))
            candidates[0].isAvailable = false
            candidates[0].isReserved = true
            for _ in 0..<5 {
                #expect(choice.choose(among: candidates, for: .candidate(0), using: &generator) == 0)
                #expect(choice.choose(among: candidates, for: .any, using: &generator) != 0)
                #expect(choice.choose(among: candidates, for: .key(7), using: &generator) != 0)
            }
        }
    }

    /// Only those who have no endpoint yet, or none any more, take turns.
    @Test func `an endpoint that is asked for takes nobody's turn`() {
        var choice = EndpointChoice(.roundRobin)
        var generator = SeededGenerator(seed: 3)
        let candidates = endpoints([1, 1, 1])
        var turns: [Int?] = []
        for _ in 0..<6 {
            turns.append(choice.choose(among: candidates, for: .any, using: &generator))
            _ = choice.choose(among: candidates, for: .candidate(1), using: &generator)
            _ = choice.choose(among: candidates, for: .key(7), using: &generator)
        }
        #expect(turns == [0, 1, 2, 0, 1, 2])
    }
}
