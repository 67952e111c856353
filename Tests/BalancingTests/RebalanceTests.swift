import Balancing
import TestSupport
import Testing

@Suite struct RebalanceTests {
    @Test(
        arguments: [
            ([], [], []),
            ([7], [1], [0]),
            ([0, 0], [1, 1], [0, 0]),
            ([100, 100, 0], [1, 1, 1], [33, 33, 0]),
            ([300, 300, 0], [1, 1, 1], [100, 100, 0]),
            ([300, 0], [2, 1], [100, 0]),
            ([200, 100], [2, 1], [0, 0]),
            ([100, 200], [2, 1], [0, 100]),
            // Within a tenth and one session more, no session moves.
            ([111, 89], [1, 1], [0, 0]),
            ([112, 88], [1, 1], [12, 0]),
            ([2, 0], [1, 1], [0, 0]),
            ([3, 0], [1, 1], [1, 0]),
            ([1, 0, 0], [1, 1, 1], [0, 0, 0]),
            // Only an endpoint beyond the tolerance gives away sessions, down to its share.
            ([105, 150, 45], [1, 1, 1], [0, 50, 0]),
            // Rounded up, these would be 2 and 2, but the others can only take 3.
            ([3, 3, 0, 0], [1, 1, 1, 1], [1, 2, 0, 0]),
            // No endpoint can take a whole session, but all together can.
            ([8, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3], Array(repeating: 1, count: 11), [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            // Without weight there is no share.
            ([50, 50], [1, 0], [0, 50]),
            ([50, 50], [0, 0], [0, 0]),
            ([50, 50], [1, -1], [0, 50]),
            ([50, 50], [1, .nan], [0, 50]),
            ([50, 50], [1, .infinity], [0, 0]),
        ] as [([Int], [Double], [Int])])
    func `the surplus is what is above the share`(_ sessions: [Int], _ weights: [Double], _ expected: [Int]) {
        #expect(Rebalance.surplus(sessions: sessions, weights: weights) == expected)
    }

    /// The sessions go to the endpoints below their shares. After that nothing is left to do.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `rebalancing moves what others can take and then stops`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let places = Int.random(in: 1...12, using: &generator)
        let most = [3, 20, 5_000].randomElement(using: &generator)!
        var sessions = (0..<places).map { _ in Int.random(in: 0...most, using: &generator) }
        let weights = (0..<places).map { _ in [0, 0.5, 1, 1, 2, 7].randomElement(using: &generator)! }
        let surplus = Rebalance.surplus(sessions: sessions, weights: weights)
        guard weights.contains(where: { $0 > 0 }) else {
            #expect(surplus.allSatisfy { $0 == 0 })
            return
        }
        let shares = weights.map { Double(sessions.reduce(0, +)) * $0 / weights.reduce(0, +) }
        let room = zip(shares, sessions).reduce(0) { $0 + max(0, $1.0 - Double($1.1)) }
        #expect(Double(surplus.reduce(0, +)) <= room + 1e-6)
        for (place, count) in surplus.enumerated() {
            let isOver = Double(sessions[place]) > shares[place] * 1.1 + 1
            #expect(isOver ? count >= 1 : count == 0)
            #expect(abs(Double(sessions[place] - count) - shares[place]) <= 1 || count == 0)
            sessions[place] -= count
        }
        // Closed sessions come back to the endpoint with the fewest.
        var choice = EndpointChoice(.leastSessions)
        for _ in 0..<surplus.reduce(0, +) {
            let candidates = sessions.indices.map { place in
                EndpointChoice.Candidate("\(place)", weight: weights[place], sessions: sessions[place])
            }
            sessions[choice.choose(among: candidates, for: .any, using: &generator)!] += 1
        }
        #expect(Rebalance.surplus(sessions: sessions, weights: weights).allSatisfy { $0 == 0 })
    }
}
