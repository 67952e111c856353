public import Configuration
public import System

/// The heartbeat of one leg: whether its peer lives, and what is due to find that out. The clock is passed in.
///
/// Any byte from the peer is life, and costs one store; everything else happens when the session's timer looks (`check`). So that no
/// message moves a timer and yet nothing is found late, it looks when something may be due: an answer that may come at once begins a
/// silence that may be over within seven eighths of an interval.
public struct Heartbeat: Equatable, Sendable {
    /// What there is to do for the leg.
    public enum Due: Equatable, Sendable {
        case nothing(until: MonotonicInstant)
        /// It is silent: send it a ping, as soon as the frame in progress towards it is whole.
        case ping
        /// Half of the time for an answer is over.
        case late
        /// It gave no answer in time.
        case dead
        /// It took no byte of what waits for it, for as long as a silent peer would have had.
        case stalled
    }

    /// What the leg's connection looks like.
    public struct Connection: Equatable, Sendable {
        /// Whether pings can be sent to it, which a TCP server knows nothing of.
        public var takesPings = true
        /// Nothing is read of it for now: that it is silent is our doing.
        public var isPaused = false
        /// Since when bytes wait that it does not take; `nil`: none do.
        public var queuedSince: MonotonicInstant?

        public init(takesPings: Bool = true, isPaused: Bool = false, queuedSince: MonotonicInstant? = nil) {
            self.takesPings = takesPings
            self.isPaused = isPaused
            self.queuedSince = queuedSince
        }
    }

    /// What the peer is expected to answer.
    private enum Probe: Equatable, Sendable {
        case none
        /// A ping of ours is to be sent at the next frame boundary.
        case wanted
        /// A ping of ours was sent, and waits in the queue.
        case queued
        /// The kernel has all of a ping of ours.
        case sent
        /// A ping of the other side's went on to this one. It serves as ours: a peer may answer the latest ping only (RFC 6455
        /// section 5.5.3), and that one is waited for.
        case relayed
    }

    /// When the peer was last heard, or since when we read it (again).
    public private(set) var lastLife: MonotonicInstant
    /// When the probe was sent, or since when its time runs anew.
    private var probedAt: MonotonicInstant
    /// When our latest ping was sent, while its pong is awaited.
    private var pingedAt = MonotonicInstant.never
    private var probe = Probe.none
    /// The peer is late with its answer, and whoever counts such peers was told.
    public private(set) var isLate = false
    /// How much shorter this period is than the interval: this many 2048ths, up to an eighth. 10,000 sessions that were opened together
    /// do not ping together.
    private var spread: UInt8
    /// In microseconds.
    private var roundTrip: UInt32?

    /// - Parameter spread: random.
    public init(at now: MonotonicInstant, spread: UInt8) {
        self.lastLife = now
        self.probedAt = now
        self.spread = spread
    }

    /// How long the latest ping of ours took that was answered.
    public var roundTripTime: Duration? { self.roundTrip.map { .microseconds(Int64($0)) } }

    // MARK: - What happens

    /// A byte came. Returns whether the peer had been late.
    public mutating func heard(at now: MonotonicInstant) -> Bool {
        self.lastLife = now
        guard self.isLate else { return false }
        self.isLate = false
        return true
    }

    /// The peer is read again: silence and the deadline of a ping of ours start anew.
    public mutating func resumed(at now: MonotonicInstant) {
        self.lastLife = now
        if self.probe == .sent { self.probedAt = now }
    }

    /// A ping of ours was sent, and has left if the queue is empty.
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

    /// A ping of the other side's went on to this leg. The first that is not answered counts.
    public mutating func relayedPing(at now: MonotonicInstant) {
        guard self.probe == .none || self.isAnswered else { return }
        self.probe = .relayed
        self.probedAt = now
    }

    /// The pong for our latest ping came. Returns how long that took, if it is known.
    public mutating func answered(at now: MonotonicInstant) -> Duration? {
        // Times alone do not tell: it may come in the turn of the ping, or before what was queued behind that has left.
        if self.probe == .queued || self.probe == .sent { self.probe = .none }
        guard self.pingedAt != .never else { return nil }
        let microseconds = UInt32(clamping: (now.nanoseconds - self.pingedAt.nanoseconds) / 1000)
        self.pingedAt = .never
        self.roundTrip = microseconds
        return .microseconds(Int64(microseconds))
    }

    // MARK: - What is due

    /// To be called again until it says `nothing`, and then when that is over.
    public mutating func check(
        at now: MonotonicInstant, _ settings: HeartbeatSettings, _ connection: Connection
    ) -> Due {
        let stall = connection.queuedSince.map { $0 + settings.interval + settings.timeout } ?? .never
        guard now < stall else { return .stalled }
        guard connection.takesPings else { return .nothing(until: stall) }
        // Reading may begin again at any time, and with it silence or the time for an answer.
        guard !connection.isPaused else { return .nothing(until: min(stall, Self.soon(now, settings))) }
        let due = self.checkSilence(at: now, settings, isFlushed: connection.queuedSince == nil)
        guard case .nothing(let instant) = due else { return due }
        return .nothing(until: min(instant, stall))
    }

    /// Before anything can be due that begins after `now`.
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
            // It may wait in the queue.
            if !isFlushed { self.probedAt = now }
            // A peer that is silent for no longer than it may be is not asked, whatever the other side does.
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

    /// Whether the peer was heard since the probe was sent.
    private var isAnswered: Bool {
        switch self.probe {
        case .none, .wanted, .queued: false
        case .sent: self.lastLife > self.probedAt
        // In the turn of the ping it may be the pong. If it was not, a ping of ours follows once the peer is silent.
        case .relayed: self.lastLife >= self.probedAt
        }
    }

    private func period(_ interval: Duration) -> Duration {
        .nanoseconds(interval.clampedNanoseconds - interval.clampedNanoseconds / 2048 * Int64(self.spread))
    }
}
