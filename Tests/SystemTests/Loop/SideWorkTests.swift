import Synchronization
import System
import Testing

@Suite struct SideWorkTests {
    @Test func `the loop goes on while one piece of work follows the other`() throws {
        let loop = try EventLoop()
        let work = try SideWork(on: loop)
        let hasBegun = try Doorbell()
        let mayEnd = try Doorbell()
        let begun = Atomic(0)
        var made: [Int] = []
        for number in 1...3 {
            work.make {
                begun.add(1, ordering: .relaxed)
                if number == 1 {
                    hasBegun.ring()
                    mayEnd.wait()
                }
                return number
            } then: {
                made.append($0)
            }
        }
        hasBegun.wait()
        // The first piece is being made, and the loop is free.
        loop.turn(waitingAtMost: .zero)
        #expect(made.isEmpty)
        #expect(begun.load(ordering: .relaxed) == 1)
        mayEnd.ring()
        while made.count < 3 { loop.turn() }
        #expect(made == [1, 2, 3])
        #expect(begun.load(ordering: .relaxed) == 3)
    }
}
