import Balancing
import TestSupport
import Testing

@Suite struct LeastSessionsTests {
    typealias Candidate = EndpointChoice.Candidate

    @Test(
        arguments: [
            ([3, 1, 2], [1, 1, 1], 1),
            ([0, 0, 1], [1, 2, 9], 2),
            ([9, 9], [1, 2], 1),
            ([1, 3], [1, 2], 0),
            ([5, 0], [1, 0.1], 0),
            ([9, 0], [1, 0.1], 0),
            ([10, 0], [1, 0.1], 1),
            ([5, 0], [1, 0], 0),
            ([5, 4], [0, 0], 1),
            ([Int.max, Int.max - 4096], [1, 1], 1),
        ] as [([Int], [Double], Int)])
    func fewestForItsWeight(_ sessions: [Int], _ weights: [Double], _ expected: Int) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        let candidates = zip(sessions, weights).enumerated().map {
            Candidate("\($0)", weight: $1.1, sessions: $1.0)
        }
        #expect(choice.choose(among: candidates, key: 0, using: &generator) == expected)
    }

    /// Those with as few as the fewest, though nothing changes between the choices: sessions of other workers come late.
    @Test(arguments: [
        ([0, 0, 0], [0, 1, 2, 0, 1, 2]),
        ([1, 0, 0], [1, 2, 1, 2, 1, 2]),
        ([0, 1, 0], [0, 2, 0, 2, 0, 2]),
        ([0, 0, 1], [0, 1, 0, 1, 0, 1]),
        ([4, 1, 4], [1, 1, 1, 1, 1, 1]),
    ])
    func tiesAreBrokenInTurn(_ sessions: [Int], _ expected: [Int]) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        let candidates = sessions.enumerated().map { Candidate("\($0)", sessions: $1) }
        #expect(expected.map { _ in choice.choose(among: candidates, key: 0, using: &generator) } == expected)
    }

    /// Sessions that stay fill the endpoints by weight, whatever they had before.
    @Test(arguments: [[1, 1, 1], [1, 2, 5], [0.5, 4], [1, 0, 3]])
    func sessionsBecomeAsTheWeights(_ weights: [Double]) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        var candidates = endpoints(weights)
        candidates[0].sessions = 40
        for _ in 0..<960 {
            candidates[choice.choose(among: candidates, key: 0, using: &generator)!].sessions += 1
        }
        for candidate in candidates {
            #expect(abs(Double(candidate.sessions) - 1_000 * candidate.weight / weights.reduce(0, +)) < 3)
        }
    }
}

@Suite struct RandomTwoTests {
    typealias Candidate = EndpointChoice.Candidate

    /// Two different ones are drawn: of two the less loaded is chosen always, and of more the most loaded never.
    @Test(
        arguments: [
            ([7, 3], [1]), ([3, 7], [0]), ([1, 2, 3], [0, 1]), ([5, 2, 2, 2], [1, 2, 3]),
        ] as [([Int], Set<Int>)])
    func theMostLoadedIsNeverChosen(_ sessions: [Int], _ expected: Set<Int>) {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: 21)
        let tally = choice.tally(
            1_000, among: sessions.enumerated().map { Candidate("\($0)", sessions: $1) }, using: &generator)
        #expect(Set(tally.indices.filter { tally[$0] > 0 }) == expected)
    }

    /// With one load for all, the first drawn is chosen: shares are those of the weights.
    @Test(arguments: [[1, 1, 1, 1], [1, 2, 5], [0.1, 1, 1], [1, 0, 1]], [1, 2] as [UInt64])
    func drawnByWeight(_ weights: [Double], _ seed: UInt64) {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: seed)
        let candidates = endpoints(weights).map { candidate in
            // As many sessions as make (sessions + 1) / weight the same.
            var candidate = candidate
            candidate.sessions = Int((candidate.weight * 100).rounded()) - 1
            return candidate
        }
        let tally = choice.tally(20_000, among: candidates, using: &generator)
        for (count, weight) in zip(tally, weights) {
            let expected = 20_000 * weight / weights.reduce(0, +)
            #expect(abs(Double(count) - expected) <= 5 * expected.squareRoot())
        }
    }

    /// Much more even than chance alone, which would leave about 100 ± 10.
    @Test func sessionsSpreadEvenly() {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: 5)
        var candidates = endpoints(Array(repeating: 1, count: 50))
        for _ in 0..<5_000 {
            candidates[choice.choose(among: candidates, key: 0, using: &generator)!].sessions += 1
        }
        #expect(candidates.allSatisfy { (94...104).contains($0.sessions) })
    }
}
