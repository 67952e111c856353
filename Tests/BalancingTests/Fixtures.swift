import Balancing
import TestSupport

extension EndpointChoice.Candidate {
    /// An endpoint, by default up.
    init(_ name: String, weight: Double = 1, sessions: Int = 0, backup: Bool = false, available: Bool = true) {
        self.init(
            weight: weight, sessions: sessions, isBackup: backup, isAvailable: available,
            identity: StableHash.of(name))
    }
}

/// A policy, and whether each session has a key.
struct Way: Sendable {
    let policy: EndpointChoice.Policy
    let hasKeys: Bool

    func wish(_ key: UInt64) -> EndpointChoice.Wish { self.hasKeys ? .key(key) : .any }

    static let all = [
        Way(policy: .roundRobin, hasKeys: false), Way(policy: .leastSessions, hasKeys: false),
        Way(policy: .randomTwo, hasKeys: false), Way(policy: .roundRobin, hasKeys: true),
    ]
}

extension EndpointChoice {
    /// How often each candidate is chosen in `count` choices. Their sessions do not change.
    mutating func tally(_ count: Int, among candidates: [Candidate], using generator: inout SeededGenerator) -> [Int] {
        var tally = candidates.map { _ in 0 }
        for _ in 0..<count {
            guard let chosen = self.choose(among: candidates, for: .any, using: &generator) else { continue }
            tally[chosen] += 1
        }
        return tally
    }

    /// The key of a client with the address 10.x.y.z.
    static func key(_ number: Int) -> UInt64 {
        StableHash.of([10, UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)])
    }
}

/// Endpoints with these weights, named by their places.
func endpoints(_ weights: [Double]) -> [EndpointChoice.Candidate] {
    weights.enumerated().map { EndpointChoice.Candidate("endpoint-\($0)", weight: $1) }
}
