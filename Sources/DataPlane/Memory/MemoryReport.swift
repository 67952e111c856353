public import Sessions

/// What one session holds of the bounded memory.
public struct MemoryHolder: Equatable, Sendable {
    /// The session.
    public let session: SessionID
    /// The client that the memory counts for.
    public let network: ClientNetwork
    /// Bytes queued for both legs, and assembled, with their overhead.
    public let bytes: Int
    /// Bytes that its message will still need, as in `MemoryBound.promised`.
    public var promised = 0
    /// Its message has not begun: it holds one read at most, and waits for us.
    public var isWaiting = false
    /// For how long its peer has accepted none of the queued bytes, or sent none of the unfinished message. Time in which we did not read
    /// the session does not count.
    public let idle: Duration
    /// How long `idle` may become: `timeouts.close` of its route.
    public let patience: Duration

    /// Whether it made no progress for too long.
    public var hasStalled: Bool { self.idle >= self.patience }
}

/// What the sessions of one or more workers hold, and what waits there for room.
public struct MemoryReport: Sendable {
    /// The sessions that hold memory.
    public var holders: [MemoryHolder] = []
    /// The most bytes that the messages waiting to begin may have; saturates.
    public var wanted = 0
    /// How many times the longest wait, in units of `patience`, has doubled.
    public var doublings = 0

    /// Nothing is held.
    public init() {}

    /// Adds a message that has waited for `wait` to begin.
    ///
    /// - Parameter patience: `timeouts.close` of its route.
    public mutating func add(waiting bytes: Int, for wait: Duration, patience: Duration) {
        var doublings = 0
        while doublings < MemoryEviction.halvings, wait >= patience * (2 << doublings) { doublings += 1 }
        self.add(wanted: bytes, doublings: doublings)
    }

    /// Adds another worker's report.
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
