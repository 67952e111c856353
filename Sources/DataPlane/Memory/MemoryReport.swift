public import Sessions

/// What a session holds of the memory that is bounded.
public struct MemoryHolder: Equatable, Sendable {
    public let session: SessionID
    public let network: ClientNetwork
    /// Queued for both legs and assembled, each with its overhead.
    public let bytes: Int
    /// What its message will still bring, as `MemoryBound.promised` has it.
    public var promised = 0
    /// Its message was not begun: it holds a read at most, and waits for us.
    public var isWaiting = false
    /// For how long its peer has taken nothing of what is queued, or has sent nothing of the message that is unfinished. Time for which
    /// we did not read the session is not counted.
    public let idle: Duration
    /// For how long it may: `timeouts.close` of its route.
    public let patience: Duration

    public var hasStalled: Bool { self.idle >= self.patience }
}

/// What one worker holds, and what waits there for room.
public struct MemoryReport: Sendable {
    public var holders: [MemoryHolder] = []
    /// What the messages may become that wait to be begun, in bytes; saturates.
    public var wanted = 0
    /// How many times the longest wait of them doubled that of those that make no progress.
    public var doublings = 0

    public init() {}

    /// Adds a message that has waited for `wait` to be begun.
    ///
    /// - Parameter patience: `timeouts.close` of its route.
    public mutating func add(waiting bytes: Int, for wait: Duration, patience: Duration) {
        var doublings = 0
        while doublings < MemoryEviction.halvings, wait >= patience * (2 << doublings) { doublings += 1 }
        self.add(wanted: bytes, doublings: doublings)
    }

    public mutating func add(_ other: MemoryReport) {
        self.holders += other.holders
        self.add(wanted: other.wanted, doublings: other.doublings)
    }

    private mutating func add(wanted: Int, doublings: Int) {
        let (sum, overflow) = self.wanted.addingReportingOverflow(wanted)
        self.wanted = overflow ? .max : sum
        self.doublings = max(self.doublings, doublings)
    }
}
