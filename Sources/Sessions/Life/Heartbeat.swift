public import Configuration
public import System

/// The heartbeat of one leg: whether its peer is alive, and what to do to find out. The clock is passed in.
///
/// Receiving a byte only stores the time. The timer calls `check` often enough that nothing is found late.
public struct Heartbeat: Equatable, Sendable {
    /// The result of a check.
    public enum Due: Equatable, Sendable {
        /// Check again at `until`.
        case nothing(until: MonotonicInstant)
        /// The peer is silent: send it a ping as soon as the frame that is being sent to it is whole.
        case ping
        /// Half of the time for an answer is over.
        case late
        /// The peer did not answer in time.
        case dead
        /// The peer accepted none of its queued bytes for `interval` plus `timeout`.
        case stalled
    }

    /// The state of the leg's connection when it is checked.
    public struct Connection: Equatable, Sendable {
        /// Whether the peer understands pings: a TCP server does not.
        public var takesPings = true
        /// The leg is not being read now, so its silence is our doing.
        public var isPaused = false
        /// Since when the peer has accepted none of its queued bytes; `nil` if none are queued.
        public var queuedSince: MonotonicInstant?

        /// By default, the peer speaks WebSocket, is read, and has nothing queued.
        public init(takesPings: Bool = true, isPaused: Bool = false, queuedSince: MonotonicInstant? = nil) {
            self.takesPings = takesPings
            self.isPaused = isPaused
            self.queuedSince = queuedSince
        }
    }

    /// The ping that the peer has to answer.
    private enum Probe: Equatable, Sendable {
        case none
        /// Our ping is to be sent at the next frame boundary.
        case wanted
        /// Our ping is in the queue.
        case queued
        /// The kernel has accepted all of our ping.
        case sent
        /// The other side's ping was relayed to this leg. It serves as ours: a peer may answer only the latest ping (RFC 6455
        /// section 5.5.3).
        case relayed
    }

    /// When the last byte came from the peer, or when we began to read it again, whichever is later.
    public private(set) var lastLife: MonotonicInstant
    /// When the probe was sent, or when its time started anew.
    private var probedAt: MonotonicInstant
    /// When our latest ping was sent; `never` if no pong is awaited.
    private var pingedAt = MonotonicInstant.never
    private var probe = Probe.none
    /// `check` has returned `late`, and no byte has come since.
    public private(set) var isLate = false
    /// This period is shorter than the interval by this many 2048ths, an eighth at most, so that 10,000 sessions that were opened
    /// together do not ping together.
    private var spread: UInt8
    /// In microseconds.
    private var roundTrip: UInt32?

    /// - Parameters:
    ///   - now: when the session was opened.
    ///   - spread: random.
    public init(at now: MonotonicInstant, spread: UInt8) {
        self.lastLife = now
        self.probedAt = now
        self.spread = spread
    }

    /// The round-trip time of our latest answered ping; `nil` if none was answered.
    public var roundTripTime: Duration? { self.roundTrip.map { .microseconds(Int64($0)) } }

    // MARK: - What happens

    /// A byte came.
    ///
    /// - Returns: whether the peer was late until now.
    public mutating func heard(at now: MonotonicInstant) -> Bool {
        self.lastLife = now
        guard self.isLate else { return false }
        self.isLate = false
        return true
    }

    /// The leg is read again: silence and the deadline of our ping start anew.
    public mutating func resumed(at now: MonotonicInstant) {
        self.lastLife = now
        if self.probe == .sent { self.probedAt = now }
    }

    /// Our ping was sent.
    ///
    /// - Parameters:
    ///   - isFlushed: the queue is empty, so the kernel has all of it.
    ///   - spread: random, for the next period.
    public mutating func pinged(at now: MonotonicInstant, isFlushed: Bool, spread: UInt8) {
        self.spread = spread
        self.pingedAt = .never
        self.probe = .queued
        if isFlushed { self.flushed(at: now) }
    }

    /// The queue has become empty.
    public mutating func flushed(at now: MonotonicInstant) {
        guard self.probe == .queued else { return }
        self.probe = .sent
        self.probedAt = now
        self.pingedAt = now
    }

    /// The other side's ping was relayed to this leg. The first unanswered one counts.
    public mutating func relayedPing(at now: MonotonicInstant) {
        guard self.probe == .none || self.isAnswered else { return }
        self.probe = .relayed
        self.probedAt = now
    }

    /// The pong for our latest ping came.
    ///
    /// - Returns: the round-trip time, if it is known.
    public mutating func answered(at now: MonotonicInstant) -> Duration? {
        // Times do not decide this: the pong may come in the same turn as the ping, or while bytes queued after the ping remain.
        if self.probe == .queued || self.probe == .sent { self.probe = .none }
        guard self.pingedAt != .never else { return nil }
        let microseconds = UInt32(clamping: (now.nanoseconds - self.pingedAt.nanoseconds) / 1000)
        self.pingedAt = .never
        self.roundTrip = microseconds
        return .microseconds(Int64(microseconds))
    }

    // MARK: - What is due

    /// Call it until it returns `nothing`, then again at the time that this names.
    public mutating func check(
        at now: MonotonicInstant, _ settings: HeartbeatSettings, _ connection: Connection
    ) -> Due {
        let stall = connection.queuedSince.map { $0 + settings.longestSilence } ?? .never
        guard now < stall else { return .stalled }
        guard connection.takesPings else { return .nothing(until: stall) }
        // Reading may begin again at any time; then a silence or the time for an answer starts.
        guard !connection.isPaused else { return .nothing(until: min(stall, Self.soon(now, settings))) }
        let due = self.checkSilence(at: now, settings, isFlushed: connection.queuedSince == nil)
        guard case .nothing(let instant) = due else { return due }
        return .nothing(until: min(instant, stall))
    }

    /// The earliest time at which a silence that starts now could matter.
    private static func soon(_ now: MonotonicInstant, _ settings: HeartbeatSettings) -> MonotonicInstant {
        now + min(settings.interval / 8 * 7, settings.timeout / 2)
    }

    private mutating func checkSilence(
        at now: MonotonicInstant, _ settings: HeartbeatSettings, isFlushed: Bool
    ) -> Due {
        if self.isAnswered { self.probe = .none }
        let silent = self.lastLife + self.period(settings.interval)
        switch self.probe {
        case .none:
            guard now >= silent else { return .nothing(until: silent) }
            self.probe = .wanted
            return .ping
        case .wanted, .queued: return .nothing(until: Self.soon(now, settings))
        case .sent: return self.checkAnswer(at: now, settings, notBefore: self.probedAt)
        case .relayed:
            // The relayed ping may still be in the queue.
            if !isFlushed { self.probedAt = now }
            // The other side's pings must not shorten the silence that this peer is allowed.
            return self.checkAnswer(at: now, settings, notBefore: silent)
        }
    }

    private mutating func checkAnswer(
        at now: MonotonicInstant, _ settings: HeartbeatSettings, notBefore earliest: MonotonicInstant
    ) -> Due {
        let deadline = max(self.probedAt + settings.timeout, earliest)
        guard now < deadline else { return .dead }
        let late = max(self.probedAt + settings.timeout / 2, earliest)
        guard now < late else {
            guard !self.isLate else { return .nothing(until: min(deadline, Self.soon(now, settings))) }
            self.isLate = true
            return .late
        }
        return .nothing(until: min(late, Self.soon(now, settings)))
    }

    /// Whether a byte came since the probe was sent.
    private var isAnswered: Bool {
        switch self.probe {
        case .none, .wanted, .queued: false
        case .sent: self.lastLife > self.probedAt
        // A byte in the same turn may be the pong. If it was not, our own ping follows once the peer is silent.
        case .relayed: self.lastLife >= self.probedAt
        }
    }

    private func period(_ interval: Duration) -> Duration {
        .nanoseconds(interval.clampedNanoseconds - interval.clampedNanoseconds / 2048 * Int64(self.spread))
    }
}
