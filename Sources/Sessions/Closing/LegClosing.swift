public import Configuration
public import System

/// How long a leg that is closing is waited for (design section 4, "Closing"). The clock is passed in.
///
/// While something is left that its peer has not acknowledged, the peer has to take some of it from time to time. After that it has
/// `timeouts.close` for what is expected of it. Time for which we do not read it does not count: whatever it does not do may be our doing.
public struct LegClosing: Equatable, Sendable {
    public struct Times: Equatable, Sendable {
        /// `timeouts.close`.
        public let close: Duration
        /// How long a peer may take nothing of what is left for it. A receiver opens its window late: where it reads little at a time, many
        /// seconds can pass without an acknowledged byte.
        public let stall: Duration

        /// - Parameter heartbeat: the leg's; `nil` where it is off.
        public init(close: Duration, heartbeat: HeartbeatSettings?) {
            self.close = close
            self.stall = max(close, heartbeat.map { $0.interval + $0.timeout } ?? Self.withoutHeartbeat)
        }

        private static let withoutHeartbeat = Duration.seconds(35)
    }

    /// How long in all a leg was not read because the other side could not take more of what came from it.
    public struct Unread: Equatable, Sendable {
        public var time = Duration.zero
        /// It is not read now.
        public var isNow = false

        public init(time: Duration = Duration.zero, isNow: Bool = false) {
            self.time = time
            self.isNow = isNow
        }
    }

    /// How the leg looks.
    public struct Sight: Equatable, Sendable {
        /// Bytes that its peer has not acknowledged, in our queue and the kernel's.
        public var undelivered: Int
        /// Bytes that it has acknowledged so far: only that it grows counts.
        public var acknowledged: UInt64
        public var awaited: ClosingHandshake.Awaited
        /// When a byte last came from it.
        public var lastByte: MonotonicInstant
        public var unread = Unread()
        /// The same of the other leg, from which a frame to this one may have to come to its end.
        public var senderUnread = Unread()

        public init(
            undelivered: Int, acknowledged: UInt64, awaited: ClosingHandshake.Awaited, lastByte: MonotonicInstant,
            unread: Unread = Unread(), senderUnread: Unread = Unread()
        ) {
            self.undelivered = undelivered
            self.acknowledged = acknowledged
            self.awaited = awaited
            self.lastByte = lastByte
            self.unread = unread
            self.senderUnread = senderUnread
        }
    }

    public enum Due: Equatable, Sendable {
        case nothing(until: MonotonicInstant)
        /// It takes nothing of what is left for it.
        case stalled
        /// It had its time for what it is waited for.
        case over
    }

    /// However well it goes on, no leg takes longer to close.
    public static let longest = Duration.seconds(600)
    /// The longest that a peer may go on sending after our end.
    public static let longestDiscarding = Duration.seconds(30)
    /// How often a leg is asked what its peer has acknowledged.
    public static let interval = Duration.milliseconds(500)

    private let began: MonotonicInstant
    /// When the peer was last seen to have taken something, and how much that was.
    private var progressAt: MonotonicInstant
    private var acknowledged: UInt64 = 0
    /// What the time runs for, and since when; `nil` while something is left that has to be delivered first.
    private var wait: Wait?

    private struct Wait: Equatable, Sendable {
        let awaited: ClosingHandshake.Awaited
        let since: MonotonicInstant
        /// How long there had been no reading by then.
        let unreadBefore: Duration
    }

    public init(at now: MonotonicInstant) {
        self.began = now
        self.progressAt = now
    }

    /// What is due for the leg. To be called again when it says so, and when anything happens.
    public mutating func check(at now: MonotonicInstant, _ times: Times, _ sight: Sight) -> Due {
        if now >= self.began + Self.longest { return .stalled }
        let isDelivered = sight.undelivered == 0
        if isDelivered || sight.unread.isNow || sight.acknowledged > self.acknowledged { self.progressAt = now }
        self.acknowledged = max(self.acknowledged, sight.acknowledged)
        if now >= self.progressAt + times.stall { return .stalled }

        let look = now + Self.interval
        let unread = sight.awaited == .boundary ? sight.senderUnread : sight.unread
        // A frame has to come to its end whether or not what is before it was delivered.
        guard isDelivered || sight.awaited == .boundary else {
            self.wait = nil
            return .nothing(until: look)
        }
        if self.wait?.awaited != sight.awaited {
            self.wait = Wait(awaited: sight.awaited, since: now, unreadBefore: unread.time)
        }
        guard let wait = self.wait, !unread.isNow else { return .nothing(until: look) }
        switch sight.awaited {
        case .nothing: return .nothing(until: look)
        case .boundary:
            let deadline = wait.since + times.close + (unread.time - wait.unreadBefore)
            return now < deadline ? .nothing(until: min(deadline, look)) : .over
        case .close:
            let deadline = wait.since + times.close + (unread.time - wait.unreadBefore)
            return now < deadline ? .nothing(until: deadline) : .over
        case .end:
            let deadline = min(max(wait.since, sight.lastByte) + times.close, wait.since + Self.longestDiscarding)
            return now < deadline ? .nothing(until: deadline) : .over
        }
    }
}
