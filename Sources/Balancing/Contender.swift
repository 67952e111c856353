/// A candidate that may be chosen.
struct Contender {
    /// Its place among the candidates.
    let index: Int
    let identity: UInt64
    /// More than 0, and finite.
    let weight: Double
    /// What its sessions for its weight would be with one more.
    let load: Double

    private init(_ candidate: EndpointChoice.Candidate, at index: Int, weight: Double) {
        self.index = index
        self.identity = candidate.identity
        self.weight = weight
        self.load = (Double(candidate.sessions) + 1) / weight
    }

    /// Who may be chosen: what is available, backups only if nothing else is. Weight 0 is never chosen beside others, but
    /// nobody is refused for it: where nothing has a weight, all are equal.
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
