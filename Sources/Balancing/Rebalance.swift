/// How far the sessions of endpoints are from their shares.
package enum Rebalance {
    /// A place has too many only beyond this much of its share and one session more: no session is closed for less.
    private static let tolerance = 1.1

    /// How many sessions each place would give away to come down to its share, which is by weight; 0 for those within the
    /// tolerance. Never more in all than those below their share can take.
    package static func surplus(sessions: [Int], weights: [Double]) -> [Int] {
        precondition(sessions.count == weights.count, "a weight for each place")
        let weights = weights.map { $0 > 0 ? $0 : 0 }
        let perWeight = Double(sessions.reduce(0, +)) / weights.reduce(0, +)
        // Without any weight, or with one beyond measure, there is no share.
        guard perWeight.isFinite, perWeight > 0 else { return sessions.map { _ in 0 } }

        var room = 0.0
        var excess: [Double] = []
        for (count, weight) in zip(sessions, weights) {
            let share = perWeight * weight
            room += max(0, share - Double(count))
            excess.append(Double(count) > share * self.tolerance + 1 ? Double(count) - share : 0)
        }
        var surplus = excess.map { Int($0.rounded()) }
        // The excess fits into the room, being the same sessions; only what was rounded up can be too much.
        var tooMany = surplus.reduce(0, +) - Int(room + 1e-6)
        for place in surplus.indices where tooMany > 0 && Double(surplus[place]) > excess[place] {
            surplus[place] -= 1
            tooMany -= 1
        }
        return surplus
    }
}
