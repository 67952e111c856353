import Synchronization
import System
import Testing

@Suite struct CallThreadsTests {
    @Test func `calls that hang leave the other threads to the others`() throws {
        let loop = try EventLoop()
        let threads = try CallThreads("test-calls", most: 2)
        let calls = try BlockingCalls(on: loop, by: threads)
        let hangs = try Doorbell()
        var made: [Int] = []
        try calls.make({ hangs.wait() }, then: { made.append(-1) })
        for number in 0..<20 { try calls.make({ number }, then: { made.append($0) }) }
        while made.count < 20 { loop.turn() }
        #expect(made == Array(0..<20))
        hangs.ring()
        while made.count < 21 { loop.turn() }
        #expect(made.last == -1)
    }

    @Test func `there are no more threads than that, and they do all calls`() throws {
        let loop = try EventLoop()
        let threads = try CallThreads("test-calls", most: 3)
        let calls = try BlockingCalls(on: loop, by: threads)
        let (running, peak) = (Shared(), Shared())
        var count = 0
        for _ in 0..<300 {
            try calls.make {
                let now = running.value.add(1, ordering: .relaxed).newValue
                peak.value.max(now, ordering: .relaxed)
                running.value.subtract(1, ordering: .relaxed)
            } then: {
                count += 1
            }
        }
        while count < 300 { loop.turn() }
        #expect((1...3).contains(peak.value.load(ordering: .relaxed)))
    }

    @Test func `what waits when they end is not made`() throws {
        let hangs = try Doorbell()
        let began = try Doorbell()
        let wasMade = Shared()
        var threads: CallThreads? = try CallThreads("test-calls", most: 1)
        try threads?.run {
            began.ring()
            hangs.wait()
        }
        began.wait()
        try threads?.run { wasMade.value.add(1, ordering: .relaxed) }
        threads = nil
        hangs.ring()
        #expect(wasMade.value.load(ordering: .relaxed) == 0)
    }

    private final class Shared: Sendable {
        let value = Atomic(0)
    }
}
