internal import Configuration
internal import Observability
internal import Synchronization
internal import System

/// Returns free memory to the system after a peak. It has its own thread, because 1 GB takes about 100 ms. Workers hardly notice:
/// relaying a message does not allocate, so they wait for the allocator only when a session opens or bytes are queued.
final class MemoryReturn: Sendable {
    private let log: Log
    private let isRunning = Atomic<Bool>(false)
    private let thread = Mutex<Thread.Handle?>(nil)

    init(_ log: Log) { self.log = log }

    func begin() {
        guard self.isRunning.exchange(true, ordering: .acquiring) == false else { return }
        self.thread.withLock { thread in
            // The previous thread, if any, has done its work.
            thread?.join()
            thread = try? Thread.start("gateway-memory") { [self] in
                self.giveBack()
                self.isRunning.store(false, ordering: .releasing)
            }
            if thread == nil { self.isRunning.store(false, ordering: .releasing) }
        }
    }

    /// Waits until a return in progress is done.
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
