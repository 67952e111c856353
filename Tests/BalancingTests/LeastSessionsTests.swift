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
    func `the endpoint with the fewest sessions for its weight is chosen`(
        _ sessions: [Int], _ weights: [Double], _ expected: Int
    ) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        let candidates = zip(sessions, weights).enumerated().map {
            Candidate("\($0)", weight: $1.1, sessions: $1.0)
        }
        #expect(choice.choose(among: candidates, for: .any, using: &generator) == expected)
    }

    /// Endpoints with equally few sessions take turns even if no count changes: other workers' sessions are counted late.
    @Test(arguments: [
        ([0, 0, 0], [0, 1, 2, 0, 1, 2]),
        ([1, 0, 0], [1, 2, 1, 2, 1, 2]),
        ([0, 1, 0], [0, 2, 0, 2, 0, 2]),
        ([0, 0, 1], [0, 1, 0, 1, 0, 1]),
        ([4, 1, 4], [1, 1, 1, 1, 1, 1]),
    ])
    func `ties are resolved in turn`(_ sessions: [Int], _ expected: [Int]) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        let candidates = sessions.enumerated().map { Candidate("\($0)", sessions: $1) }
        #expect(expected.map { _ in choice.choose(among: candidates, for: .any, using: &generator) } == expected)
    }

    /// Sessions that stay open fill the endpoints by weight, whatever they had before.
    @Test(arguments: [[1, 1, 1], [1, 2, 5], [0.5, 4], [1, 0, 3]])
    func `sessions approach the weights`(_ weights: [Double]) {
        var choice = EndpointChoice(.leastSessions)
        var generator = SeededGenerator(seed: 0)
        var candidates = endpoints(weights)
        candidates[0].sessions = 40
        for _ in 0..<960 {
            candidates[choice.choose(among: candidates, for: .any, using: &generator)!].sessions += 1
        }
        for candidate in candidates {
            #expect(abs(Double(candidate.sessions) - 1_000 * candidate.weight / weights.reduce(0, +)) < 3)
        }
    }
}

@Suite struct RandomTwoTests {
    typealias Candidate = EndpointChoice.Candidate

    /// Two different endpoints are drawn: of two the less loaded one is always chosen, and of more the most loaded one never.
    @Test(
        arguments: [
            ([7, 3], [1]), ([3, 7], [0]), ([1, 2, 3], [0, 1]), ([5, 2, 2, 2], [1, 2, 3]),
        ] as [([Int], Set<Int>)])
    func `the most loaded is never chosen`(_ sessions: [Int], _ expected: Set<Int>) {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: 21)
        let tally = choice.tally(
            1_000, among: sessions.enumerated().map { Candidate("\($0)", sessions: $1) }, using: &generator)
        #expect(Set(tally.indices.filter { tally[$0] > 0 }) == expected)
    }

    /// With equal loads the first one drawn is chosen, so shares follow the weights.
    @Test(arguments: [[1, 1, 1, 1], [1, 2, 5], [0.1, 1, 1], [1, 0, 1]], [1, 2] as [UInt64])
    func `endpoints are drawn by weight`(_ weights: [Double], _ seed: UInt64) {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: seed)
        let candidates = endpoints(weights).map { candidate in
            // As many sessions as make (sessions + 1) / weight equal.
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

    /// Much more evenly than by chance alone, which would give about 100 ± 10.
    @Test func `sessions spread evenly`() {
        var choice = EndpointChoice(.randomTwo)
        var generator = SeededGenerator(seed: 5)
        var candidates = endpoints(Array(repeating: 1, count: 50))
        for _ in 0..<5_000 {
            candidates[choice.choose(among: candidates, for: .any, using: &generator)!].sessions += 1
        }
        #expect(candidates.allSatisfy { (94...104).contains($0.sessions) })
    }
}
