import Balancing
import Testing

@Suite struct RoundRobinTests {
    @Test func everyoneHasTheirTurn() {
        var turns = RoundRobin()
        #expect((0..<7).map { _ in turns.choose(among: 3) } == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test func nobodyIsChosenFromNobody() {
        var turns = RoundRobin()
        #expect(turns.choose(among: 0) == nil)
        #expect(turns.choose(among: 2) == 0)
    }

    @Test func aShorterListIsStillInRange() {
        var turns = RoundRobin()
        for _ in 0..<5 { _ = turns.choose(among: 6) }
        #expect(turns.choose(among: 2) == 1)
        #expect(turns.choose(among: 2) == 0)
        #expect(turns.choose(among: 1) == 0)
    }
}
