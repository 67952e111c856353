import Testing

@testable import System

struct ControlTimerTests {
    @Test func `a timer that its own action cancels does not fire again`() throws {
        let loop = try EventLoop()
        var (fired, isOver) = (0, false)
        var timer: ControlTimer?
        timer = ControlTimer(loop, every: .milliseconds(1)) {
            fired += 1
            timer?.cancel()
        }
        let end = ControlTimer(loop, once: .milliseconds(50)) { isOver = true }
        while !isOver { loop.turn() }
        end.cancel()
        timer?.cancel()
        #expect(fired == 1)
    }
}
