package import Sessions

/// What a session holds of the memory that is bounded.
package struct MemoryHolder: Equatable, Sendable {
    package let session: SessionID
    package let network: ClientNetwork
    /// Queued for both legs and assembled, each with its overhead.
    package let bytes: Int
    /// What its message will still bring, as `MemoryBound.promised` has it.
    package var promised = 0
    /// Its message was not begun: it holds a read at most, and waits for us.
    package var isWaiting = false
    /// For how long its peer has taken nothing of what is queued, or has sent nothing of the message that is unfinished. Time for which
    /// we did not read the session is not counted.
    package let idle: Duration
    /// For how long it may: `timeouts.close` of its route.
    package let patience: Duration

    package var hasStalled: Bool { self.idle >= self.patience }
}

/// What one worker holds, and what waits there for room.
package struct MemoryReport: Sendable {
    package var holders: [MemoryHolder] = []
    /// What the messages may become that wait to be begun, in bytes; saturates.
    package var wanted = 0
    /// How many times the longest wait of them doubled that of those that make no progress.
    package var doublings = 0

    package init() {}

    /// Adds a message that has waited for `wait` to be begun.
    ///
    /// - Parameter patience: `timeouts.close` of its route.
    package mutating func add(waiting bytes: Int, for wait: Duration, patience: Duration) {
        var doublings = 0
        while doublings < MemoryEviction.halvings, wait >= patience * (2 << doublings) { doublings += 1 }
        self.add(wanted: bytes, doublings: doublings)
    }

    package mutating func add(_ other: MemoryReport) {
        self.holders += other.holders
        self.add(wanted: other.wanted, doublings: other.doublings)
    }

    private mutating func add(wanted: Int, doublings: Int) {
        let (sum, overflow) = self.wanted.addingReportingOverflow(wanted)
        self.wanted = overflow ? .max : sum
        self.doublings = max(self.doublings, doublings)
    }
}
