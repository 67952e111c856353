import Testing

@testable import System

@Suite struct WorkBudgetTests {
    @Test func `a share ends before the turn does`() {
        var budget = WorkBudget()
        budget.beginTurn()
        budget.beginShare(100)
        budget.spend(99)
        #expect(!budget.isShareSpent && !budget.isSpent)
        budget.spend(1)
        #expect(budget.isShareSpent && !budget.isSpent)
        budget.beginShare(100)
        #expect(!budget.isShareSpent)
    }

    @Test func `all handlers spend one turn's budget together`() {
        var budget = WorkBudget()
        budget.beginTurn()
        var shares = 0
        while !budget.isSpent {
            budget.beginShare(WorkBudget.longShare)
            while !budget.isShareSpent { budget.spend(WorkBudget.longShare / 4) }
            shares += 1
        }
        #expect(shares == WorkBudget.turn / WorkBudget.longShare)
    }

    @Test func `a handler that begins late still gets its whole share`() {
        var budget = WorkBudget()
        budget.beginTurn()
        budget.spend(WorkBudget.turn * 3)
        #expect(budget.isSpent)
        budget.beginShare(10)
        #expect(!budget.isShareSpent)
        budget.spend(10)
        #expect(budget.isShareSpent)
        // A step that took too much does not shorten the next turn.
        budget.beginTurn()
        #expect(!budget.isSpent)
    }
}

@Suite struct TurnTimesTests {
    @Test func `turns are counted by their length`() {
        var times = TurnTimes()
        for nanoseconds in [0, 50_000, 50_001, 2_000_000_000] as [Int64] { times.observe(nanoseconds) }
        #expect(times.counts.first == 2 && times.counts[1] == 1 && times.counts.last == 1)
        #expect(times.counts.count == TurnTimes.bounds.count + 1)
        var sum = TurnTimes()
        sum.observe(60_000)
        sum.add(times)
        #expect(sum.counts[1] == 2 && sum.nanoseconds == 2_000_160_001)
    }

    @Test func `every turn of a loop is counted`() throws {
        let loop = try EventLoop()
        for _ in 0..<3 { loop.turn(waitingAtMost: .zero) }
        #expect(loop.turnTimes.counts.reduce(0, +) == 3)
    }
}
