internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What a session that closes knows of its legs; an open one does not carry its memory.
final class SessionClosing {
    var legs: PerLeg<LegClosing>
    /// The kernel gives each leg as much time as we do.
    var hasUserTimeout = PerLeg(client: false, backend: false)
    /// How many bytes came from each leg that nobody was left to take.
    var dropped = PerLeg(client: 0, backend: 0)
    /// What had come from each leg when it ceased to go on to the other one: what comes after that is only looked through for a Close.
    var forwarded = PerLeg<MessageTally?>(client: nil, backend: nil)
    /// How many bytes of each leg's connection its peer had not acknowledged when it was given up.
    var undelivered = PerLeg(client: 0, backend: 0)

    init(at now: MonotonicInstant) {
        self.legs = PerLeg(client: LegClosing(at: now), backend: LegClosing(at: now))
    }
}

/// From the first Close, or whatever else ends the session, to the end of both connections (design section 4, "Closing"): what is left
/// for a leg is delivered, then it is waited for, then its connection is closed. What is due is `LegClosing`'s to say, and what follows
/// from it `ClosingHandshake`'s.
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
    /// - Parameter words: what it hears, and the log says.
    func violated(_ violation: Violation, by leg: Leg, _ words: String) {
        self.conversation?.sendGathered()
        let places = self.conversation?.places ?? .init()
        self.act(on: self.machine.violated(violation, by: leg, places, words))
    }

    /// The frame that a Close to `leg` waited for is whole.
    func reachedBoundary(_ leg: Leg) { self.act(on: self.machine.reachedBoundary(leg)) }

    /// Something happened to a leg's connection.
    ///
    /// - Parameter detail: more on it, for the log.
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

    /// Does what the closing handshake says.
    ///
    /// - Parameter close: the Close that may have to be passed on, as it came.
    private func act(on actions: ClosingHandshake.Actions, relaying close: Span<UInt8>) {
        guard let conversation = self.conversation else {
            self.end(.backend, as: actions.backend.end)
            return self.end(.client, as: actions.client.end)
        }
        if !self.isOpen { self.beginClosing() }
        conversation.follow(self.machine.closing)
        self.say(actions.backend.say, to: .backend, relaying: close)
        self.say(actions.client.say, to: .client, relaying: close)
        conversation.hasSaid()
        // Saying comes first on both legs: ending one can end the session.
        self.end(.backend, as: actions.backend.end)
        self.end(.client, as: actions.client.end)
    }

    private func say(_ say: ClosingHandshake.LegAction.Say, to leg: Leg, relaying bytes: Span<UInt8>) {
        switch say {
        case .nothing: break
        case .relayedClose: self.connection(leg)?.send(bytes)
        case .close(let close):
            let key: MaskingKey? = leg == .backend ? .random : nil
            self.connection(leg)?.send(Frame.close(close, maskingKey: key).span)
        }
    }

    /// A session that closes looks at its legs for the first time after so long: most have ended by then.
    private static let firstLook = Duration.milliseconds(50)
    /// The most that is read from a leg of what nobody is left to take, in bytes. Its Close may be among that.
    private static let mostDropped = 256 << 10

    // MARK: - Beginning

    /// The session will end.
    func beginClosing() {
        guard self.closing == nil else { return }
        self.closing = SessionClosing(at: self.loop.now)
        self.setDeadline(after: Self.firstLook)
        // A leg that was held back is read again: it may have a Close to answer ours. What is still relayed holds it back anew.
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

    // MARK: - What is done

    /// Ends `leg` as the closing handshake says.
    func end(_ leg: Leg, as end: ClosingHandshake.End) {
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

    /// Closes a leg's connection if its peer has ended its side and has taken all there is for it.
    func settle(_ connection: Connection) {
        let leg = connection.leg
        guard self.machine.closing.isConnected(leg), self.machine.closing.awaits(leg) == .end else { return }
        self.noteDelivery(connection)
        guard let end = self.machine.closing.endWhenDelivered(leg) else { return }
        // The last word of TLS; a plain connection is closed by closing it.
        if end == .close, connection.tls != nil { connection.shutDown() }
        connection.sendStaged()
        if self.hasDelivered(connection) { self.closeLeg(leg, abruptly: end == .abort) }
    }

    /// Tells, where that is waited for, that a leg's peer has taken all there is for it.
    func noteDelivery(_ connection: Connection) {
        guard self.machine.closing.isAwaitingDelivery(of: connection.leg) else { return }
        connection.sendStaged()
        guard self.hasDelivered(connection) else { return }
        self.happened(.delivered(connection.leg))
    }

    private func hasDelivered(_ connection: Connection) -> Bool {
        connection.hasSentAll && connection.undelivered == 0
    }

    // MARK: - What is due

    /// The timer has fired while the session closes.
    func checkClosing() {
        var next = MonotonicInstant.never
        for leg in [Leg.client, .backend] {
            guard let until = self.checkClosing(of: leg) else { continue }
            next = min(next, until)
        }
        if self.closing != nil { self.setDeadline(at: next) }
    }

    /// Does what is due for `leg`. Returns when to look again; `nil`: never.
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
                // What it is waited for may be here, where it is this process that was stopped for a while; and one that is gone is gone.
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
        let undelivered = connection.undelivered
        let now = self.loop.now
        if undelivered > 0 { self.setUserTimeout(of: connection) }
        var sight = LegClosing.Sight(
            undelivered: undelivered, acknowledged: undelivered > 0 ? connection.acknowledged : 0,
            awaited: self.machine.closing.awaits(connection.leg), lastByte: self.legs[connection.leg].heartbeat.lastLife
        )
        // What we do not read because nobody is left to take it is the peer's own affair.
        if !self.isRefusingMore(connection.leg) { sight.unread = Self.unread(connection, at: now) }
        sight.senderUnread = self.connection(connection.leg.other).map { Self.unread($0, at: now) } ?? .init()
        return sight
    }

    private static func unread(_ connection: Connection, at now: MonotonicInstant) -> LegClosing.Unread {
        let unread = connection.reading.unread(at: now)
        return LegClosing.Unread(time: unread.time, isNow: unread.isNow)
    }

    /// What is set for an open session may be none, or too short. Most sessions have ended before anybody looks.
    private func setUserTimeout(of connection: Connection) {
        let leg = connection.leg
        guard let closing = self.closing, !closing.hasUserTimeout[leg] else { return }
        closing.hasUserTimeout[leg] = true
        let stall = self.closingTimes(of: leg).stall
        if self.heartbeat(of: leg).map({ $0.interval + $0.timeout }) != stall { connection.setUserTimeout(stall) }
    }

    // MARK: - What comes

    /// Passes on what came from `leg`, or drops it: where the other side has gone, no more than its Close may be among is read at all.
    func receivedWhileClosing(_ range: Range<Int>, from leg: Leg) {
        if let closing = self.closing, self.machine.closing.isAlone(leg) {
            closing.dropped[leg] += range.count
            if self.isRefusingMore(leg) { self.connection(leg)?.pause() }
        }
        self.conversation?.received(range, from: leg)
    }

    /// Whether enough came from `leg` that nobody was left to take.
    func isRefusingMore(_ leg: Leg) -> Bool { self.closing.map { $0.dropped[leg] > Self.mostDropped } ?? false }

    // MARK: - At once

    /// The gateway stops at once, or had given its sessions their time. Both sides hear of it where that is possible without waiting.
    func abort() {
        // Before a Close of ours is on its way.
        let isLeft = PerLeg(client: self.hasUndelivered(.client), backend: self.hasUndelivered(.backend))
        self.close(.byGateway(.drain))
        for leg in [Leg.client, .backend] {
            if isLeft[leg] { self.happened(.dismissed(leg)) } else { self.connection(leg)?.shutDown() }
        }
        self.closeLegs()
    }

    private func hasUndelivered(_ leg: Leg) -> Bool { self.connection(leg).map { $0.undelivered > 0 } ?? false }
}
