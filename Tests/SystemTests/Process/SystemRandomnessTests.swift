import Synchronization
import Testing

@testable import System

@Suite struct SystemRandomnessTests {
    @Test func `random numbers of all threads differ`() throws {
        let numbers = Mutex<[UInt64]>([])
        let threads = try (0..<4).map { _ in
            try Thread.start("random") {
                var source = SystemRandomness()
                let own = (0..<1000).map { _ in source.next() }
                numbers.withLock { $0 += own }
            }
        }
        for thread in threads { thread.join() }
        let all = numbers.withLock { $0 }
        #expect(all.count == 4000 && Set(all).count == 4000)
        // Each bit is set in half of them, within nine standard deviations.
        for bit in 0..<64 { #expect(abs(all.count { $0 >> UInt64(bit) & 1 == 1 } - 2000) < 285) }
    }
}
