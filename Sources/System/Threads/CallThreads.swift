internal import CLinux
internal import DequeModule
internal import Synchronization

/// A few threads that make calls which may block. They are started when they are needed first, and stay.
///
/// A call that never returns costs its thread, and when all threads hang, later calls wait: their callers have to bound the time.
/// All threads may use it.
public final class CallThreads: Sendable {
    private let line: Line
    private let name: String
    private let niceness: Int32

    /// No thread runs yet. Throws if the system has no descriptor to wake them.
    ///
    /// - Parameters:
    ///   - name: of each thread, at most 15 bytes.
    ///   - most: how many there may be.
    ///   - niceness: by how much other threads are more urgent (nice(2)).
    public init(_ name: String, most: Int, niceness: Int32 = 0) throws(SystemError) {
        self.name = name
        self.niceness = niceness
        self.line = try Line(most: most)
    }

    deinit { self.line.end() }

    /// Has a thread make a call, after those that wait already. Throws if there is no thread, and none can be started.
    public func run(_ call: @escaping @Sendable () -> Void) throws(SystemError) {
        guard self.line.append(call) else { return }
        let (line, niceness) = (self.line, self.niceness)
        do throws(SystemError) {
            try Thread.start(self.name) {
                if niceness > 0 { _ = gateway_make_this_thread_nicer(niceness) }
                line.work()
            }.detach()
        } catch {
            guard line.notStarted() else { return }
            throw error
        }
    }

    /// The calls that wait, and the threads that take them.
    private final class Line: Sendable {
        private struct State {
            var calls = Deque<@Sendable () -> Void>()
            var threads = 0
            var idle = 0
            var hasEnded = false
        }

        private let state = Mutex(State())
        private let doorbell: Doorbell
        private let most: Int

        init(most: Int) throws(SystemError) {
            self.most = most
            self.doorbell = try Doorbell()
        }

        /// - Returns: whether another thread has to be started for it.
        func append(_ call: @escaping @Sendable () -> Void) -> Bool {
            let needsThread = self.state.withLock { state in
                state.calls.append(call)
                guard state.calls.count > state.idle, state.threads < self.most else { return false }
                state.threads += 1
                return true
            }
            self.doorbell.ring()
            return needsThread
        }

        /// A thread could not be started.
        ///
        /// - Returns: whether there is no other one. Then no call waits any more.
        func notStarted() -> Bool {
            self.state.withLock { state in
                state.threads -= 1
                if state.threads == 0 { state.calls = [] }
                return state.threads == 0
            }
        }

        func end() {
            self.state.withLock { $0.hasEnded = true }
            self.doorbell.ring()
        }

        /// Makes calls until the end.
        func work() {
            while let call = self.next() { call() }
        }

        private func next() -> (@Sendable () -> Void)? {
            self.state.withLock { $0.idle += 1 }
            while true {
                let (call, hasMore, hasEnded) = self.state.withLock { state in
                    let call = state.hasEnded ? nil : state.calls.popFirst()
                    if call != nil { state.idle -= 1 }
                    return (call, !state.calls.isEmpty, state.hasEnded)
                }
                // One ring wakes one thread, and stands for all calls that came before it.
                if hasMore || hasEnded { self.doorbell.ring() }
                if call != nil || hasEnded { return call }
                self.doorbell.wait()
            }
        }
    }
}
