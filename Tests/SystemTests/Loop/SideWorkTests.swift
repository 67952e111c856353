import Glibc
import Synchronization
import System
import Testing

@Suite struct SideWorkTests {
    @Test func theLoopGoesOnMeanwhileAndOneIsMadeAfterTheOther() throws {
        let loop = try EventLoop()
        let work = try SideWork(on: loop)
        let mayEnd = Gate()
        let begun = Atomic(0)
        var made: [Int] = []
        for number in 1...3 {
            work.make {
                begun.add(1, ordering: .relaxed)
                mayEnd.pass()
                return number
            } then: {
                made.append($0)
            }
        }
        // It is in the middle of the first, and the loop is free.
        while begun.load(ordering: .relaxed) == 0 { loop.turn(waitingAtMost: .zero) }
        #expect(made.isEmpty)
        mayEnd.open()
        while made.count < 3 { loop.turn() }
        #expect(made == [1, 2, 3])
        #expect(begun.load(ordering: .relaxed) == 3)
    }
}

/// Holds threads until it is opened.
private final class Gate: Sendable {
    private let isOpen = Atomic(false)

    func open() { self.isOpen.store(true, ordering: .releasing) }

    func pass() { while !self.isOpen.load(ordering: .acquiring) { sched_yield() } }
}
