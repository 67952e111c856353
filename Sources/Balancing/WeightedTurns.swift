/// Smooth weighted round robin: whoever is owed most has the turn, so that with weights 5, 1 and 1 the turns of the first
/// are spread between those of the others.
struct WeightedTurns: Sendable {
    /// What each candidate is owed, in units of 1 / `whole` of a turn.
    ///
    /// Whole numbers, so that equal weights stay exactly equal; and in turns, not in weights, so that a weight which falls
    /// from 100 to 1 leaves no debt of 100 turns behind.
    private var credits: [Int] = []
    /// Whom `credits` is about.
    private var identities: [UInt64] = []
    private static let whole = Double(1 << 32)

    /// The index of the candidate whose turn it is. Who cannot be chosen now keeps what it is owed.
    mutating func next(of contenders: [Contender], among candidates: [EndpointChoice.Candidate]) -> Int {
        if !self.identities.elementsEqual(candidates.lazy.map(\.identity)) { self.adopt(candidates) }
        let total = contenders.reduce(0) { $0 + $1.weight }
        var paid = 0
        var chosen = contenders[0].index
        for contender in contenders {
            // At least one unit: however light, its turn comes.
            let share = max(1, Int((contender.weight / total * Self.whole).rounded()))
            self.credits[contender.index] += share
            paid += share
            if self.credits[contender.index] > self.credits[chosen] { chosen = contender.index }
        }
        self.credits[chosen] -= paid
        return chosen
    }

    /// Takes over another list of candidates: those that stay keep what they are owed, and a new one starts with nothing.
    /// Nobody is ever owed much more than a turn, so that it waits about a round at most.
    private mutating func adopt(_ candidates: [EndpointChoice.Candidate]) {
        let known = Dictionary(zip(self.identities, self.credits)) { first, _ in first }
        self.identities = candidates.map(\.identity)
        self.credits = self.identities.map { known[$0] ?? 0 }
    }
}
