public import Configuration
public import System

/// How long the gateway waits for a closing leg. The clock is passed in.
///
/// While bytes are unacknowledged, the peer has to acknowledge some from time to time. After that it has `timeouts.close` for what we
/// wait for. Time in which we do not read the leg does not count: the peer's silence may then be our doing.
public struct LegClosing: Equatable, Sendable {
    /// The limits that a leg closes under.
    public struct Times: Equatable, Sendable {
        /// `timeouts.close`.
        public let close: Duration
        /// How long a peer may acknowledge none of the bytes that are left. A receiver opens its window late: if it reads little at a
        /// time, many seconds can pass without an acknowledged byte.
        public let stall: Duration

        /// - Parameters:
        ///   - close: `timeouts.close`.
        ///   - heartbeat: the leg's; `nil` if it is off.
        public init(close: Duration, heartbeat: HeartbeatSettings?) {
            self.close = close
            self.stall = max(close, heartbeat?.longestSilence ?? Self.withoutHeartbeat)
        }

        private static let withoutHeartbeat = Duration.seconds(35)
    }

    /// How long a leg was not read, because the other side could not take more from it.
    public struct Unread: Equatable, Sendable {
        /// The sum of all such times.
        public var time = Duration.zero
        /// The leg is not being read now.
        public var isNow = false

        /// By default, the leg has always been read.
        public init(time: Duration = Duration.zero, isNow: Bool = false) {
            self.time = time
            self.isNow = isNow
        }
    }

    /// What is observed of the leg when it is checked.
    public struct Sight: Equatable, Sendable {
        /// Bytes that the peer has not acknowledged, in our queue and the kernel's.
        public var undelivered: Int
        /// Bytes that the peer has acknowledged so far; only its growth matters.
        public var acknowledged: UInt64
        /// What the closing handshake waits for on the leg.
        public var awaited: ClosingHandshake.Awaited
        /// When the last byte came from the peer.
        public var lastByte: MonotonicInstant
        /// How long the leg was not read.
        public var unread = Unread()
        /// How long the other leg was not read: the frame that we wait for comes from there.
        public var senderUnread = Unread()

        /// By default, both legs have always been read.
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

    /// The result of a check.
    public enum Due: Equatable, Sendable {
        /// Check again at `until`, or earlier if anything happens.
        case nothing(until: MonotonicInstant)
        /// The peer acknowledges none of the bytes that are left.
        case stalled
        /// The peer did not do what we wait for in time.
        case over
    }

    /// The longest that a leg may take to close, however steadily it progresses.
    public static let longest = Duration.seconds(600)
    /// The longest that a peer may keep sending after our side has ended.
    public static let longestDiscarding = Duration.seconds(30)
    /// When a leg that closes is checked first: most have ended by then.
    public static let firstLook = Duration.milliseconds(50)
    /// How often to check what the peer has acknowledged.
    public static let interval = Duration.milliseconds(500)

    private let began: MonotonicInstant
    /// When the peer was last seen to acknowledge bytes. `acknowledged` is how many it had acknowledged by then.
    private var progressAt: MonotonicInstant
    private var acknowledged: UInt64 = 0
    /// What we wait for, and since when; `nil` while bytes have to be delivered first.
    private var wait: Wait?

    private struct Wait: Equatable, Sendable {
        let awaited: ClosingHandshake.Awaited
        let since: MonotonicInstant
        /// How long the leg had not been read by then.
        let unreadBefore: Duration
    }

    /// The leg begins to close at `now`.
    public init(at now: MonotonicInstant) {
        self.began = now
        self.progressAt = now
    }

    /// What is due for the leg. Call it again at the time that it returns, and when anything happens.
    public mutating func check(at now: MonotonicInstant, _ times: Times, _ sight: Sight) -> Due {
        if now >= self.began + Self.longest { return .stalled }
        let isDelivered = sight.undelivered == 0
        if isDelivered || sight.unread.isNow || sight.acknowledged > self.acknowledged { self.progressAt = now }
        self.acknowledged = max(self.acknowledged, sight.acknowledged)
        if now >= self.progressAt + times.stall { return .stalled }

        let look = now + Self.interval
        let unread = sight.awaited == .boundary ? sight.senderUnread : sight.unread
        // A frame has to end in time whether or not the bytes before it were delivered.
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
