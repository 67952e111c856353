internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import Synchronization
internal import System

/// What an open session waits for besides bytes: silent and stalled peers, its timeouts, and its conversation's tick. Traffic moves no
/// timer: when the timer fires, it checks what is due and sets itself for what is due next.
extension Session {
    /// The client has its 101.
    func beginDeadlines() {
        self.deadlines = SessionDeadlines(
            began: self.began, openedAt: self.loop.now, credentialEnds: self.summary.credential?.ends ?? .never)
        // The id is random.
        let spreads = PerLeg(
            client: UInt8(truncatingIfNeeded: self.id.number), backend: UInt8(truncatingIfNeeded: self.id.number >> 8))
        for leg in [Leg.client, .backend] {
            guard let connection = self.connection(leg) else { continue }
            self.legs[leg].beginHeartbeat(
                self.heartbeat(of: leg), takesPings: self.takesPings(leg), spread: spreads[leg], at: self.loop.now,
                connection)
        }
        self.checkDeadlines()
    }

    /// Has the conversation's `timerFired` called once, at `instant` or soon after. Setting it again replaces the old time.
    func setTick(at instant: MonotonicInstant) {
        guard self.isOpen else { return }
        self.deadlines.tick = instant
        if instant < self.deadlines.armed { self.arm(at: instant) }
    }

    /// Has the client, held back for its rates, go on at `instant` or soon after.
    func setRelease(at instant: MonotonicInstant) {
        guard self.isOpen else { return }
        self.deadlines.release = instant
        if instant < self.deadlines.armed { self.arm(at: instant) }
    }

    /// The timer fired while the session is open.
    func checkDeadlines() {
        guard let timeouts = self.route?.settings.timeouts else { return }
        let now = self.loop.now
        if let cause = self.deadlines.ending(at: now, timeouts) { self.close(.byGateway(cause)) }
        if self.deadlines.takeTick(at: now), self.isOpen { self.conversation?.timerFired() }
        if self.deadlines.takeRelease(at: now), self.isOpen { self.followRates() }
        let client = self.checkHeartbeat(of: .client)
        let backend = self.checkHeartbeat(of: .backend)
        // What was due may have ended the session: then the timer is the closing handshake's.
        guard self.isOpen else { return }
        self.arm(at: self.deadlines.next(timeouts, PerLeg(client: client, backend: backend)))
    }

    private func arm(at instant: MonotonicInstant) {
        self.deadlines.armed = instant
        if instant == .never { self.clearDeadline() } else { self.setDeadline(at: instant) }
    }

    // MARK: - Heartbeats

    /// The heartbeat's times for `leg`. A bridge's TCP leg is not pinged, but may be stalled only as long as the client.
    func heartbeat(of leg: Leg) -> HeartbeatSettings? {
        guard let settings = self.route?.settings else { return nil }
        return leg == .backend && self.machine.closing.kind == .relay ? settings.backendHeartbeat : settings.heartbeat
    }

    /// A reload has changed `heartbeat(of: leg)`.
    func heartbeatChanged(_ leg: Leg) {
        self.connection(leg)?.changeHeartbeat(self.heartbeat(of: leg), takesPings: self.takesPings(leg))
    }

    private func takesPings(_ leg: Leg) -> Bool { leg == .client || self.machine.closing.kind == .relay }

    /// Does what is due for `leg`. Returns when to check again.
    private func checkHeartbeat(of leg: Leg) -> MonotonicInstant {
        guard let settings = self.heartbeat(of: leg) else { return .never }
        var hasLooked = false
        while self.isOpen, let connection = self.connection(leg), connection.isOpen {
            let sight = Heartbeat.Connection(
                takesPings: self.takesPings(leg), isPaused: connection.isPaused, queuedSince: connection.queuedSince)
            switch self.legs[leg].heartbeat.check(at: self.loop.now, settings, sight) {
            case .nothing(let instant): return instant
            case .ping: self.conversation?.ping(leg)
            case .late: if leg == .backend { self.backendIsLate(true) }
            case .stalled where connection.hasProgressed(): continue
            case .stalled:
                let waited = settings.longestSilence.secondsAsDouble
                self.happened(.stalled(leg), detail: "took nothing for \(waited.inHundredths) s")
                return .never
            case .dead where !hasLooked:
                // Read first: if this process was stopped for a while, the answer may be in the socket.
                hasLooked = true
                connection.lookAgain()
                self.pump(leg)
            case .dead:
                let silence = (self.loop.now - self.legs[leg].heartbeat.lastLife).secondsAsDouble
                self.happened(.silent(leg), detail: "silent for \(silence.inHundredths) s")
                return .never
            }
        }
        return .never
    }

    /// Sends our ping; `frame` is the whole frame.
    func sendPing(_ frame: [UInt8], to leg: Leg) {
        guard let connection = self.connection(leg) else { return }
        connection.send(frame.span)
        connection.sendStaged()
        self.tailed?.sent(frame.span, to: leg)
        let spread = UInt8(truncatingIfNeeded: Randomness.word())
        self.legs[leg].heartbeat.pinged(at: self.loop.now, isFlushed: connection.hasSentAll, spread: spread)
    }

    /// The pong for our latest ping came.
    func pingAnswered(_ leg: Leg) {
        guard let time = self.legs[leg].heartbeat.answered(at: self.loop.now) else { return }
        self.context.metrics.pingAnswered(leg, time)
    }

    /// A read gave something. That is life if the socket gave bytes for it: what libssl had left over came earlier.
    func heard(_ connection: Connection) {
        guard connection.tookBytes else { return }
        let leg = connection.leg
        let now = self.loop.now
        let wasLate =
            switch leg {
            case .client: self.legs.client.heartbeat.heard(at: now)
            case .backend: self.legs.backend.heartbeat.heard(at: now)
            }
        if wasLate { self.isNoLongerLate(leg) }
    }

    /// A byte came from a leg that was late with its answer.
    @inline(never)
    private func isNoLongerLate(_ leg: Leg) {
        if leg == .backend { self.backendIsLate(false) }
    }

    /// Counts that the backend is late with a pong, or no longer so, because a byte came or the session ended.
    func backendIsLate(_ isLate: Bool) {
        guard let endpoint = self.endpoint else { return }
        if isLate {
            endpoint.missing.add(1, ordering: .relaxed)
        } else {
            endpoint.missing.subtract(1, ordering: .relaxed)
        }
    }
}

extension Double {
    /// For the eye.
    fileprivate var inHundredths: Double { (100 * self).rounded() / 100 }
}
