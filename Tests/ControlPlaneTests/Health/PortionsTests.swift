import System
import Testing

@testable import ControlPlane
@testable import DataPlane

@Suite struct PortionsTests {
    @Test(arguments: [0, 1, Portions.most - 1]) func `what fits one portion is done at once`(_ count: Int) throws {
        let loop = try EventLoop()
        var done = 0
        var isOver = false
        Portions.go(on: loop) {
            done += 1
            return done <= count ? 1 : nil
        } then: {
            isOver = true
        }
        #expect(isOver)
        #expect(done == count + 1)
    }

    @Test func `the loop goes on between portions`() throws {
        let loop = try EventLoop()
        var log: [Int] = []
        var isOver = false
        // Each step is a little more than half a portion.
        Portions.go(on: loop) {
            guard log.count < 6 else { return nil }
            log.append(log.count)
            return Portions.most / 2 + 1
        } then: {
            isOver = true
        }
        #expect(log == [0, 1])
        var turns = 0
        while !isOver {
            loop.turn(waitingAtMost: .seconds(20))
            turns += 1
        }
        #expect(log == [0, 1, 2, 3, 4, 5])
        #expect(turns >= 3)
    }
}
