/// How far the endpoints' sessions are from their shares.
public enum Rebalance {
    /// An endpoint has too many sessions only if they are above its share times this, plus one. No session is closed for less.
    private static let tolerance = 1.1

    /// How many sessions each endpoint should give away to come down to its share by weight; 0 within the tolerance. The sum
    /// is never more than the endpoints below their shares can take.
    ///
    /// - Parameters:
    ///   - sessions: of each endpoint.
    ///   - weights: of each endpoint, in the same order.
    public static func surplus(sessions: [Int], weights: [Double]) -> [Int] {
        precondition(sessions.count == weights.count, "a weight for each place")
        let weights = weights.map { $0 > 0 ? $0 : 0 }
        let perWeight = Double(sessions.reduce(0, +)) / weights.reduce(0, +)
        // Without any weight, or with an infinite one, there are no shares.
        guard perWeight.isFinite, perWeight > 0 else { return sessions.map { _ in 0 } }

        var room = 0.0
        var excess: [Double] = []
        for (count, weight) in zip(sessions, weights) {
            let share = perWeight * weight
            room += max(0, share - Double(count))
            excess.append(Double(count) > share * self.tolerance + 1 ? Double(count) - share : 0)
        }
        var surplus = excess.map { Int($0.rounded()) }
        // The excess itself fits into the room. Only rounding up can make it too much.
        var tooMany = surplus.reduce(0, +) - Int(room + 1e-6)
        for place in surplus.indices where tooMany > 0 && Double(surplus[place]) > excess[place] {
            surplus[place] -= 1
            tooMany -= 1
        }
        return surplus
    }
}
