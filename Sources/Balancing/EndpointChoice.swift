/// Which endpoint of a backend the next session gets. A value that each worker keeps for each backend.
package struct EndpointChoice: Sendable {
    package enum Policy: Sendable {
        /// Each endpoint in turn, as often as its weight says.
        case roundRobin
        /// The endpoint with the fewest live sessions for its weight; in turn where several have as few.
        case leastSessions
        /// The same endpoint for the same key, as long as that endpoint is available.
        case hash
        /// The one with fewer sessions for its weight of two that are drawn by weight.
        case randomTwo
    }

    /// An endpoint as it stands at the moment of the choice.
    package struct Candidate: Sendable {
        /// The highest weight that counts; what is above it counts as this.
        package static let highestWeight = 1e9

        /// The share it gets, relative to the others: the configured weight times the slow start's factor.
        package var weight: Double
        /// Its live sessions, of all workers.
        package var sessions: Int
        /// Chosen only while no other endpoint is available.
        package var isBackup: Bool
        package var isAvailable: Bool
        /// A `StableHash` of its name: what a turn and a key's place are kept by.
        package var identity: UInt64

        package init(weight: Double, sessions: Int, isBackup: Bool, isAvailable: Bool, identity: UInt64) {
            self.weight = weight
            self.sessions = sessions
            self.isBackup = isBackup
            self.isAvailable = isAvailable
            self.identity = identity
        }
    }

    package let policy: Policy
    private var turns = WeightedTurns()
    /// Where the search for the fewest sessions starts: after the candidate that was chosen last.
    private var start = 0

    package init(_ policy: Policy) {
        self.policy = policy
    }

    /// The index of the candidate chosen for a session with `key`; `nil` if none is available.
    ///
    /// Pass all endpoints of the backend each time, those out of use with `isAvailable: false`: an endpoint that is left
    /// out loses its turn in a round.
    package mutating func choose(
        among candidates: [Candidate], key: UInt64, using generator: inout some RandomNumberGenerator
    ) -> Int? {
        // Most backends have one endpoint, which is all there is to choose.
        if candidates.count == 1 { return candidates[0].isAvailable ? 0 : nil }
        let contenders = Contender.all(of: candidates)
        guard !contenders.isEmpty else { return nil }
        switch self.policy {
        case .roundRobin: return self.turns.next(of: contenders, among: candidates)
        case .leastSessions: return self.leastLoaded(of: contenders)
        case .hash: return Rendezvous.place(of: key, among: contenders)
        case .randomTwo: return Self.lessLoadedOfTwo(of: contenders, using: &generator)
        }
    }

    private mutating func leastLoaded(of contenders: [Contender]) -> Int {
        let first = contenders.firstIndex { $0.index >= self.start } ?? 0
        var least = contenders[first]
        for contender in contenders[(first + 1)...] + contenders[..<first] where contender.load < least.load {
            least = contender
        }
        self.start = least.index + 1
        return least.index
    }

    private static func lessLoadedOfTwo(
        of contenders: [Contender], using generator: inout some RandomNumberGenerator
    ) -> Int {
        var contenders = contenders
        let first = contenders.remove(at: self.draw(from: contenders, using: &generator))
        guard !contenders.isEmpty else { return first.index }
        let second = contenders[self.draw(from: contenders, using: &generator)]
        return second.load < first.load ? second.index : first.index
    }

    /// A place in `contenders`, each as likely as its weight says.
    private static func draw(from contenders: [Contender], using generator: inout some RandomNumberGenerator) -> Int {
        var point = Double.random(in: 0..<contenders.reduce(0) { $0 + $1.weight }, using: &generator)
        for place in contenders.indices {
            point -= contenders[place].weight
            if point < 0 { return place }
        }
        // Rounding can leave a little of the sum behind the last one.
        return contenders.count - 1
    }
}
