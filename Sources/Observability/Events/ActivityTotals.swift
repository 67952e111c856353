public import Sessions
public import WebSocketProtocol

/// What was counted since the start, of what a dashboard shows: of one worker, or of all. Also what was counted in a part of that time.
public struct ActivityTotals: Equatable, Sendable {
    /// The sessions that are open or closing now.
    public var sessions = 0
    /// Sessions that were opened.
    public var opens: UInt64 = 0
    /// Sessions that ended, by cause.
    public var closes: [Cause: UInt64] = [:]
    /// Requests that were refused, by the status of the answer.
    public var refusals: [Int: UInt64] = [:]
    /// Messages in both directions.
    public var messages: UInt64 = 0
    /// Their payload in bytes.
    public var bytes: UInt64 = 0

    /// Zeros.
    public init() {}

    /// Adds the counts of another worker.
    public mutating func add(_ other: ActivityTotals) {
        self.sessions += other.sessions
        self.opens += other.opens
        self.closes.merge(other.closes, uniquingKeysWith: +)
        self.refusals.merge(other.refusals, uniquingKeysWith: +)
        self.messages += other.messages
        self.bytes += other.bytes
    }

    /// Adds what both legs of sessions have sent.
    public mutating func add(_ tally: PerLeg<MessageTally>) {
        for leg in [tally.client, tally.backend] {
            self.messages += leg.messages
            self.bytes += leg.payloadBytes
        }
    }

    /// What was counted since `earlier`, without zeros, and the sessions that are open now.
    ///
    /// A message that a session had read counts no more if it was not passed on when the session ended, so a count can fall.
    public func since(_ earlier: ActivityTotals) -> ActivityTotals {
        func rise(_ now: UInt64, _ before: UInt64) -> UInt64 { now > before ? now - before : 0 }
        func rises<Key: Hashable>(_ now: [Key: UInt64], _ before: [Key: UInt64]) -> [Key: UInt64] {
            var rises: [Key: UInt64] = [:]
            for (key, count) in now where count > before[key] ?? 0 { rises[key] = count - (before[key] ?? 0) }
            return rises
        }
        var part = ActivityTotals()
        part.sessions = self.sessions
        part.opens = rise(self.opens, earlier.opens)
        part.closes = rises(self.closes, earlier.closes)
        part.refusals = rises(self.refusals, earlier.refusals)
        part.messages = rise(self.messages, earlier.messages)
        part.bytes = rise(self.bytes, earlier.bytes)
        return part
    }
}
