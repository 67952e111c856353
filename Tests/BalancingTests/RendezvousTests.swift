import Balancing
import TestSupport
import Testing

/// The same endpoint for the same key.
@Suite struct RendezvousTests {
    typealias Candidate = EndpointChoice.Candidate

    private static let keys = 20_000

    /// The name of the endpoint for each key.
    private func places(among candidates: [Candidate]) -> [UInt64] {
        var choice = EndpointChoice(.roundRobin)
        var generator = SeededGenerator(seed: 0)
        return (0..<Self.keys).map { number in
            candidates[choice.choose(among: candidates, for: .key(EndpointChoice.key(number)), using: &generator)!]
                .identity
        }
    }

    /// Within five standard deviations of the expected share, over keys that differ in only two bytes.
    private func expectCount(_ count: Int, share: Double, sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = Double(Self.keys) * share
        let deviation = (expected * (1 - share)).squareRoot()
        #expect(abs(Double(count) - expected) <= 5 * deviation, sourceLocation: sourceLocation)
    }

    @Test(
        arguments: [
            [1, 1], [1, 1, 1, 1, 1], [1, 2, 5], [0.1, 1, 1], [0.001, 0.002], [1e-300, 1e-300], [3, 0, 1],
            Array(repeating: 1, count: 40),
        ] as [[Double]])
    func `keys spread by weight`(_ weights: [Double]) {
        let candidates = endpoints(weights)
        let places = self.places(among: candidates)
        for candidate in candidates {
            self.expectCount(
                places.count { $0 == candidate.identity }, share: candidate.weight / weights.reduce(0, +))
        }
    }

    /// Whatever was chosen before, on every worker, and in every order of the endpoints.
    @Test func `a key keeps its endpoint`() {
        let candidates = endpoints([1, 2, 3, 4])
        let places = self.places(among: candidates)
        #expect(self.places(among: candidates) == places)
        #expect(self.places(among: candidates.reversed()) == places)
        #expect(self.places(among: [2, 0, 3, 1].map { candidates[$0] }) == places)
    }

    /// They may not change from one version to the next: clients would lose their endpoint.
    @Test func `a key has the same endpoint in every process`() {
        var choice = EndpointChoice(.roundRobin)
        var generator = SeededGenerator(seed: 0)
        let candidates = endpoints([1, 1, 2, 1])
        let places = (0..<16).map {
            choice.choose(among: candidates, for: .key(EndpointChoice.key($0)), using: &generator)
        }
        #expect(places == [2, 2, 2, 1, 3, 2, 3, 3, 1, 2, 2, 0, 2, 2, 0, 2])
    }

    @Test(arguments: 0..<5, [true, false])
    func `an endpoint that leaves moves only its own keys`(_ leaving: Int, _ stillListed: Bool) {
        let weights: [Double] = [1, 1, 2, 4, 0.5]
        let candidates = endpoints(weights)
        var others = candidates
        if stillListed {
            others[leaving].isAvailable = false
        } else {
            others.remove(at: leaving)
        }
        let gone = candidates[leaving].identity
        var moved: [UInt64: Int] = [:]
        var disturbed = 0
        for (before, after) in zip(self.places(among: candidates), self.places(among: others)) {
            if before == gone { moved[after, default: 0] += 1 } else if after != before { disturbed += 1 }
        }
        // Its keys spread over the others, by weight.
        #expect(disturbed == 0)
        #expect(moved[gone] == nil)
        let total = weights.reduce(0, +)
        for (other, candidate) in candidates.enumerated() where other != leaving {
            let share = weights[leaving] / total * weights[other] / (total - weights[leaving])
            self.expectCount(moved[candidate.identity, default: 0], share: share)
        }
    }

    @Test(arguments: [(1, 2), (2, 1), (1, 0.1), (0.1, 1), (1, 0), (1, 1.01)] as [(Double, Double)])
    func `a changed weight moves only the difference`(_ old: Double, _ new: Double) {
        let (before, after) = (endpoints([1, old, 3]), endpoints([1, new, 3]))
        var (moved, disturbed) = (0, 0)
        for (old, new) in zip(self.places(among: before), self.places(among: after)) where old != new {
            moved += 1
            if (after[1].weight > before[1].weight ? new : old) != after[1].identity { disturbed += 1 }
        }
        #expect(disturbed == 0)
        self.expectCount(moved, share: abs(new / (4 + new) - old / (4 + old)))
    }

    /// A common factor, as when all endpoints start slowly together, moves no key.
    @Test func `only relative weights count`() {
        #expect(self.places(among: endpoints([1, 2, 4])) == self.places(among: endpoints([0.125, 0.25, 0.5])))
    }

    @Test func `paths spread evenly`() {
        var choice = EndpointChoice(.roundRobin)
        var generator = SeededGenerator(seed: 0)
        let candidates = endpoints([1, 1, 1])
        var tally = [0, 0, 0]
        for room in 0..<9_000 {
            tally[choice.choose(among: candidates, for: .key(StableHash.of("/chat/\(room)")), using: &generator)!] += 1
        }
        #expect(tally.allSatisfy { (2_750...3_250).contains($0) })
    }
}
