/// Chooses the endpoint for the next session of a backend. Each worker has one for each backend.
public struct EndpointChoice: Sendable {
    /// How to choose.
    public enum Policy: Sendable {
        /// Each endpoint in turn, in proportion to its weight.
        case roundRobin
        /// The endpoint with the fewest live sessions for its weight. Several with equally few take turns.
        case leastSessions
        /// Two endpoints are drawn by weight, and the one with fewer sessions for its weight is chosen.
        case randomTwo
    }

    /// What a session asks for.
    public enum Wish: Sendable {
        /// Nothing: the policy chooses.
        case any
        /// The same endpoint as others with this key, as long as that is available.
        case key(UInt64)
        /// The candidate at this index. While it is not available, the policy chooses.
        case candidate(Int)
    }

    /// An endpoint at the moment of the choice.
    public struct Candidate: Sendable {
        /// A higher weight counts as this.
        static let highestWeight = 1e9

        /// Its share relative to the others: the configured weight times the slow start's factor.
        public var weight: Double
        /// Its live sessions on all workers.
        public var sessions: Int
        /// Chosen only while no other endpoint is available.
        public var isBackup: Bool
        /// It is up, and may get a session.
        public var isAvailable: Bool
        /// It gets only sessions that ask for it.
        public var isReserved: Bool
        /// A `StableHash` of its name. Turns and the choice for a key depend on it, not on the index.
        public var identity: UInt64

        /// A candidate with `weight` 0 is only chosen while all others have 0, too.
        public init(
            weight: Double, sessions: Int, isBackup: Bool, isAvailable: Bool, isReserved: Bool = false, identity: UInt64
        ) {
            self.weight = weight
            self.sessions = sessions
            self.isBackup = isBackup
            self.isAvailable = isAvailable
            self.isReserved = isReserved
            self.identity = identity
        }
    }

    /// How it chooses.
    public let policy: Policy
    private var turns = WeightedTurns()
    /// Where the search for the fewest sessions starts: after the candidate chosen last.
    private var start = 0

    /// Nothing was chosen yet: the first turn begins.
    public init(_ policy: Policy) {
        self.policy = policy
    }

    /// Chooses a candidate for a session. Returns its index; `nil` if none is available.
    ///
    /// - Parameter candidates: always all endpoints of the backend, also the unavailable ones. One that is left out loses its
    ///   turn in a round.
    public mutating func choose(
        among candidates: [Candidate], for wish: Wish, using generator: inout some RandomNumberGenerator
    ) -> Int? {
        // A backup, too, and one that others do not get: the client's state is there.
        if case .candidate(let index) = wish, candidates[index].isAvailable || candidates[index].isReserved {
            return index
        }
        // Most backends have a single endpoint.
        if candidates.count == 1 { return candidates[0].isAvailable ? 0 : nil }
        let contenders = Contender.all(of: candidates)
        guard !contenders.isEmpty else { return nil }
        switch wish {
        case .any, .candidate: break
        case .key(let key): return Rendezvous.place(of: key, among: contenders)
        }
        switch self.policy {
        case .roundRobin: return self.turns.next(of: contenders, among: candidates)
        case .leastSessions: return self.leastLoaded(of: contenders)
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

    /// An index in `contenders`, drawn by weight.
    private static func draw(from contenders: [Contender], using generator: inout some RandomNumberGenerator) -> Int {
        var point = Double.random(in: 0..<contenders.reduce(0) { $0 + $1.weight }, using: &generator)
        for place in contenders.indices {
            point -= contenders[place].weight
            if point < 0 { return place }
        }
        // Rounding can leave a little of the sum after the last one.
        return contenders.count - 1
    }
}

extension EndpointChoice {
    /// A candidate that may be chosen.
    struct Contender {
        /// Its index among the candidates.
        let index: Int
        let identity: UInt64
        /// Above 0, and finite.
        let weight: Double
        /// Its sessions divided by its weight, with one session more.
        let load: Double

        private init(_ candidate: EndpointChoice.Candidate, at index: Int, weight: Double) {
            self.index = index
            self.identity = candidate.identity
            self.weight = weight
            self.load = (Double(candidate.sessions) + 1) / weight
        }

        /// The available candidates, backups only if no other is available. One with weight 0 is not chosen beside others; if all
        /// have weight 0, all are equal.
        static func all(of candidates: [EndpointChoice.Candidate]) -> [Contender] {
            let backups = !candidates.contains { $0.isAvailable && !$0.isBackup }
            var contenders: [Contender] = []
            contenders.reserveCapacity(candidates.count)
            for (index, candidate) in candidates.enumerated()
            where candidate.isAvailable && candidate.isBackup == backups && candidate.weight > 0 {
                let weight = min(candidate.weight, EndpointChoice.Candidate.highestWeight)
                contenders.append(Contender(candidate, at: index, weight: weight))
            }
            guard contenders.isEmpty else { return contenders }
            for (index, candidate) in candidates.enumerated()
            where candidate.isAvailable && candidate.isBackup == backups {
                contenders.append(Contender(candidate, at: index, weight: 1))
            }
            return contenders
        }
    }
}
