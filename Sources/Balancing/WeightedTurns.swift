/// Smooth weighted round robin: the candidate with the most credit has the next turn. With weights 5, 1 and 1, the turns of
/// the first are spread between those of the others.
struct WeightedTurns: Sendable {
    /// The credit of each candidate, in units of 1 / `whole` of a turn.
    ///
    /// Whole numbers keep equal weights exactly equal. Turns instead of weights make sure that a weight which falls from 100
    /// to 1 leaves no debt of 100 turns.
    private var credits: [Int] = []
    /// The candidates that `credits` belongs to.
    private var identities: [UInt64] = []
    private static let whole = Double(1 << 32)

    /// Takes the next turn: returns the index of its candidate. One that cannot be chosen now keeps its credit.
    mutating func next(of contenders: [EndpointChoice.Contender], among candidates: [EndpointChoice.Candidate]) -> Int {
        if !self.identities.elementsEqual(candidates.lazy.map(\.identity)) { self.adopt(candidates) }
        let total = contenders.reduce(0) { $0 + $1.weight }
        var paid = 0
        var chosen = contenders[0].index
        for contender in contenders {
            // At least one unit, so that even the lightest gets a turn.
            let share = max(1, Int((contender.weight / total * Self.whole).rounded()))
            self.credits[contender.index] += share
            paid += share
            if self.credits[contender.index] > self.credits[chosen] { chosen = contender.index }
        }
        self.credits[chosen] -= paid
        return chosen
    }

    /// Takes over another list of candidates. Known ones keep their credit, and a new one starts at zero. No credit is ever
    /// much more than a turn, so a new one waits about a round at most.
    private mutating func adopt(_ candidates: [EndpointChoice.Candidate]) {
        let known = Dictionary(zip(self.identities, self.credits)) { first, _ in first }
        self.identities = candidates.map(\.identity)
        self.credits = self.identities.map { known[$0] ?? 0 }
    }
}
