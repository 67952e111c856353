internal import Configuration
internal import Observability
internal import Synchronization
internal import System

/// Gives memory back to the system after a peak, on a thread of its own: that takes 100 ms for each GB. Workers need nothing of the
/// allocator for a message that goes through, and wait for it only where something begins, or is queued.
final class MemoryReturn: Sendable {
    private let log: Log
    private let isRunning = Atomic<Bool>(false)
    private let thread = Mutex<Thread.Handle?>(nil)

    init(_ log: Log) { self.log = log }

    func begin() {
        guard self.isRunning.exchange(true, ordering: .acquiring) == false else { return }
        self.thread.withLock { thread in
            // It is at its end, if there was one.
            thread?.join()
            thread = try? Thread.start("gateway-memory") { [self] in
                self.giveBack()
                self.isRunning.store(false, ordering: .releasing)
            }
            if thread == nil { self.isRunning.store(false, ordering: .releasing) }
        }
    }

    /// Waits for the end of one that has begun.
    func end() { self.thread.withLock { $0?.join() } }

    private func giveBack() {
        let start = MonotonicInstant.now()
        let before = ProcessUsage.now().residentBytes
        OwnProcess.returnFreeMemory()
        var record = LogRecord(.debug, "memory-returned")
        record.add("resident_before", before ?? 0)
        record.add("resident", ProcessUsage.now().residentBytes ?? 0)
        record.add("duration", seconds: (.now() - start).secondsAsDouble)
        self.log.write(record)
    }
}
