internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What a closing session knows of its legs. An object of its own, so that an open session does not carry its memory.
final class SessionClosing {
    var legs: PerLeg<LegClosing>
    /// Whether the kernel's timeout for the leg is the one for closing.
    var hasUserTimeout = PerLeg(client: false, backend: false)
    /// How many bytes came from each leg for which there was no other side any more.
    var dropped = PerLeg(client: 0, backend: 0)
    /// The messages that had come from each leg when it was no longer relayed: later bytes are only searched for a Close.
    var forwarded = PerLeg<MessageTally?>(client: nil, backend: nil)
    /// How many bytes each leg's peer had not acknowledged when its connection was aborted.
    var undelivered = PerLeg(client: 0, backend: 0)

    init(at now: MonotonicInstant) {
        self.legs = PerLeg(client: LegClosing(at: now), backend: LegClosing(at: now))
    }
}

/// From the first Close, or any other end of the session, until both connections are closed: what is queued for a leg is delivered, then we
/// wait for its peer, then the connection is closed. `LegClosing` says what is due, `ClosingHandshake` what follows from it.
extension Session {
    // MARK: - What happens

    /// A Close came from `leg`.
    ///
    /// - Parameter bytes: its frame, as it came.
    func received(_ close: CloseFrame, from leg: Leg, _ bytes: Span<UInt8>) {
        self.act(on: self.machine.received(close, from: leg), relaying: bytes)
    }

    /// `leg` broke a rule.
    ///
    /// - Parameter words: the reason, for its Close and for the log.
    func violated(_ violation: Violation, by leg: Leg, _ words: String) {
        self.conversation?.sendGathered()
        let places = self.conversation?.places ?? .init()
        self.act(on: self.machine.violated(violation, by: leg, places, words))
    }

    /// The frame that a Close to `leg` waited for is whole.
    func reachedBoundary(_ leg: Leg) { self.act(on: self.machine.reachedBoundary(leg)) }

    /// Something happened to a leg's connection.
    ///
    /// - Parameter detail: for the log.
    func happened(_ event: ClosingHandshake.Event, detail: String? = nil) {
        self.conversation?.prepare(for: event)
        self.conversation?.sendGathered()
        let places = self.conversation?.places ?? .init()
        self.act(on: self.machine.happened(event, places, detail: detail))
    }

    func act(on actions: ClosingHandshake.Actions) {
        let nothing: [UInt8] = []
        self.act(on: actions, relaying: nothing.span)
    }

    /// Carries out what the closing handshake decided.
    ///
    /// - Parameter close: the Close to relay, if there is one, as it came.
    private func act(on actions: ClosingHandshake.Actions, relaying close: Span<UInt8>) {
        guard let conversation = self.conversation else { return }
        if !self.isOpen { self.beginClosing() }
        conversation.follow(self.machine.closing)
        self.say(actions.backend.say, to: .backend, relaying: close)
        self.say(actions.client.say, to: .client, relaying: close)
        conversation.hasSaid()
        // Send on both legs first: ending one can end the session.
        self.end(.backend, as: actions.backend.end)
        self.end(.client, as: actions.client.end)
    }

    private func say(_ say: ClosingHandshake.LegAction.Say, to leg: Leg, relaying bytes: Span<UInt8>) {
        switch say {
        case .nothing: break
        case .relayedClose: self.connection(leg)?.send(bytes)
        case .close(let close):
            guard let connection = self.connection(leg) else { return }
            let key: MaskingKey? = leg == .backend ? .random : nil
            let frame = Frame.close(close, maskingKey: key)
            connection.send(frame.span)
            self.tailed?.sent(frame.span, to: leg)
        }
    }

    /// The most bytes that are read from a leg without another side. Its Close may be among them.
    private static let mostDropped = 256 << 10

    // MARK: - Beginning

    /// The session begins to close.
    private func beginClosing() {
        guard self.closing == nil else { return }
        self.closing = SessionClosing(at: self.loop.now)
        self.setDeadline(after: LegClosing.firstLook)
        // A leg that was held back is read again: its answer to our Close may come. If it is still relayed, it may be held back anew.
        for leg in [Leg.client, .backend] { self.readOn(leg) }
    }

    /// Nothing holds `leg` back any more.
    func readOn(_ leg: Leg) {
        guard !self.isRefusingMore(leg), let connection = self.connection(leg), connection.isOpen else { return }
        self.resume(connection)
        if connection.mayRead { connection.readAgainLater() }
    }

    private func closingTimes(of leg: Leg) -> LegClosing.Times {
        LegClosing.Times(
            close: self.route?.settings.timeouts.close ?? Timeouts().close, heartbeat: self.heartbeat(of: leg))
    }

    // MARK: - Acting

    /// Ends `leg` as the closing handshake decided.
    private func end(_ leg: Leg, as end: ClosingHandshake.End) {
        guard let connection = self.connection(leg), self.machine.closing.isConnected(leg) else { return }
        switch end {
        case .notYet: break
        case .wait: self.settle(connection)
        case .shutDown, .abortDelivered:
            if end == .shutDown { connection.shutDown() }
            self.settle(connection)
        case .close:
            self.noteUndelivered(leg)
            if !self.isRefusingMore(leg), connection.failure == nil { connection.shutDown() }
            self.closeLeg(leg, abruptly: self.isRefusingMore(leg))
        case .abort:
            self.noteUndelivered(leg)
            self.closeLeg(leg, abruptly: true)
        }
    }

    private func noteUndelivered(_ leg: Leg) {
        if let connection = self.connection(leg), connection.isOpen {
            self.closing?.undelivered[leg] = connection.undelivered
        }
    }

    /// Closes a leg's connection if its peer has ended its side and everything was delivered.
    func settle(_ connection: Connection) {
        let leg = connection.leg
        guard self.machine.closing.isConnected(leg), self.machine.closing.awaits(leg) == .end else { return }
        self.noteDelivery(connection)
        guard let end = self.machine.closing.endWhenDelivered(leg) else { return }
        // TLS needs its close_notify; a plain connection just closes.
        if end == .close, connection.tls != nil { connection.shutDown() }
        if connection.hasDelivered() { self.closeLeg(leg, abruptly: end == .abort) }
    }

    /// Reports that everything was delivered to a leg, if the closing handshake waits for that.
    func noteDelivery(_ connection: Connection) {
        guard self.machine.closing.isAwaitingDelivery(of: connection.leg) else { return }
        guard connection.hasDelivered() else { return }
        self.happened(.delivered(connection.leg))
    }

    // MARK: - What is due

    /// The timer fired while the session closes.
    func checkClosing() {
        var next = MonotonicInstant.never
        for leg in [Leg.client, .backend] {
            guard let until = self.checkClosing(of: leg) else { continue }
            next = min(next, until)
        }
        if self.closing != nil { self.setDeadline(at: next) }
    }

    /// Does what is due for `leg`. Returns when to check again; `nil` for never.
    private func checkClosing(of leg: Leg) -> MonotonicInstant? {
        var hasLooked = false
        while let connection = self.connection(leg), let closing = self.closing,
            self.machine.closing.isConnected(leg)
        {
            let due = closing.legs[leg].check(
                at: self.loop.now, self.closingTimes(of: leg), self.sight(of: connection))
            if case .nothing(let until) = due {
                self.settle(connection)
                return until
            }
            if !hasLooked, !self.machine.closing.hasEnded(leg), !connection.isPaused {
                // Read first: if this process was stopped for a while, what we wait for may be in the socket.
                hasLooked = true
                connection.lookAgain()
                self.pump(leg)
                continue
            }
            if due == .stalled {
                self.happened(.stalled(leg), detail: "took nothing more")
            } else {
                self.happened(.timeOver(leg), detail: "gave no answer to the Close")
            }
        }
        return nil
    }

    private func sight(of connection: Connection) -> LegClosing.Sight {
        let now = self.loop.now
        var sight = connection.sight(
            awaiting: self.machine.closing.awaits(connection.leg),
            lastByte: self.legs[connection.leg].heartbeat.lastLife)
        if sight.undelivered > 0 { self.setUserTimeout(of: connection) }
        // A peer gets no more time because we do not read it for lack of another side.
        if !self.isRefusingMore(connection.leg) { sight.unread = connection.unread(at: now) }
        sight.senderUnread = self.connection(connection.leg.other)?.unread(at: now) ?? .init()
        return sight
    }

    /// An open session has no timeout in the kernel, or one that is too short. Set late, because most sessions end before the first check.
    private func setUserTimeout(of connection: Connection) {
        let leg = connection.leg
        guard let closing = self.closing, !closing.hasUserTimeout[leg] else { return }
        closing.hasUserTimeout[leg] = true
        let stall = self.closingTimes(of: leg).stall
        if self.heartbeat(of: leg)?.longestSilence != stall { connection.setUserTimeout(stall) }
    }

    // MARK: - What comes

    /// Passes on or discards what came from `leg`. Without another side, only as much is read as may contain its Close.
    func receivedWhileClosing(_ range: Range<Int>, from leg: Leg) {
        if let closing = self.closing, self.machine.closing.isAlone(leg) {
            closing.dropped[leg] += range.count
            if self.isRefusingMore(leg) { self.connection(leg)?.pause() }
        }
        self.conversation?.received(range, from: leg)
    }

    /// Whether so much came from `leg` without another side that it is not read any more.
    func isRefusingMore(_ leg: Leg) -> Bool { self.closing.map { $0.dropped[leg] > Self.mostDropped } ?? false }

    // MARK: - Abort

    /// The gateway stops now, or its sessions had their time. Both sides are told if that is possible without waiting.
    func abort() {
        // Asked first, because our own Close would count once it is queued.
        let isLeft = PerLeg(client: self.hasUndelivered(.client), backend: self.hasUndelivered(.backend))
        self.close(.byGateway(.drain))
        for leg in [Leg.client, .backend] {
            if isLeft[leg] { self.happened(.dismissed(leg)) } else { self.connection(leg)?.shutDown() }
        }
        self.closeLegs()
    }

    private func hasUndelivered(_ leg: Leg) -> Bool { self.connection(leg).map { $0.undelivered > 0 } ?? false }
}
