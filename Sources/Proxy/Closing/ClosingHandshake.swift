internal import WebSocketProtocol

/// The closing handshakes of a session's WebSocket legs (RFC 6455 section 7), decided without I/O.
///
/// On each leg a Close is sent and a Close is received, in either order, and then our side of it ends. A session with one
/// WebSocket leg (a built-in service; the client's side of a bridge) starts with the other leg ended. What happens is told by
/// calls; what to do about it comes back as `Actions`, which the shell carries out.
struct ClosingHandshake: Sendable {
    /// What to do with one leg: first say, then end.
    struct LegAction: Equatable, Sendable {
        enum Say: Equatable, Sendable {
            case nothing
            /// Pass the Close that was just received on, byte for byte as it came.
            case relayedClose
            case close(CloseFrame)
        }

        enum End: Equatable, Sendable {
            case notYet
            /// End our side after everything that is queued, and wait for the peer's end.
            case finish
            /// End the connection now, as it is.
            case cut
        }

        var say = Say.nothing
        var end = End.notYet
    }

    struct Actions: Equatable, Sendable {
        var client = LegAction()
        var backend = LegAction()

        static let none = Actions()

        subscript(leg: Leg) -> LegAction {
            get { leg == .client ? self.client : self.backend }
            _modify {
                switch leg {
                case .client: yield &self.client
                case .backend: yield &self.backend
                }
            }
        }
    }

    private struct LegState: Sendable {
        /// We sent a Close on this leg, or never will.
        var sent = false
        /// A Close that waits for the end of a frame that is being relayed to this leg.
        var waiting: CloseFrame?
        var received: CloseFrame?
        /// Nothing that this leg still sends is looked at: it broke a rule, or its input is over.
        var isDeaf = false
        /// Our side of this leg has ended.
        var isEnded = false
    }

    /// Why and by whom the session ends; `nil` while it is open.
    private(set) var ending: Ending?
    /// The code of the Close that the client sent or was sent, for the log; `nil` is none.
    private(set) var code: CloseCode?
    private var legs = PerLeg(client: LegState(), backend: LegState())

    /// - Parameter hasBackend: whether the backend is a WebSocket, too.
    init(hasBackend: Bool) {
        if !hasBackend {
            self.legs.backend = LegState(sent: true, received: CloseFrame(code: nil), isDeaf: true, isEnded: true)
        }
    }

    var isOpen: Bool { self.ending == nil }

    /// Whether messages from `leg` still go on: not after its Close, and not to a side that was sent one.
    func relays(from leg: Leg) -> Bool {
        self.reads(from: leg) && (leg == .client ? !self.legs.backend.sent : !self.legs.client.sent)
    }

    /// Whether frames of `leg` are still looked at, be it only for its Close.
    func reads(from leg: Leg) -> Bool { !self.legs[leg].isDeaf && self.legs[leg].received == nil }

    /// Whether `leg` has sent its Close and is to get one: it may have ended its side of the connection, and reads on for that.
    func owesAnswer(to leg: Leg) -> Bool {
        self.legs[leg].received != nil && !self.legs[leg].sent && !self.legs[leg].isEnded
    }

    /// Whether a Close waits for `leg` to reach the end of a frame.
    func isWaiting(_ leg: Leg) -> Bool { self.legs[leg].waiting != nil }

    // MARK: - What happens

    /// A Close came from `leg`: it is relayed to the other side, or it answers ours, or both (they crossed).
    mutating func received(_ close: CloseFrame, from leg: Leg) -> Actions {
        guard self.reads(from: leg) else { return .none }
        self.legs[leg].received = close
        if self.isOpen {
            self.ending = .by(leg, leg == .client ? .clientClosed : .backendClosed)
            self.code = close.code
        }
        var actions = Actions.none
        if let waiting = self.legs[leg.other].waiting {
            // The frame that ours waited for is whole, and it was first.
            self.legs[leg.other].waiting = nil
            self.send(waiting, to: leg.other, &actions)
        } else if !self.legs[leg.other].sent {
            self.legs[leg.other].sent = true
            actions[leg.other].say = .relayedClose
        }
        if self.legs[leg.other].isEnded {
            // Nobody behind us will answer: we do, with the same code (RFC 6455 section 5.5.1).
            self.answer(leg, canSend: true, &actions)
        }
        self.endWhatIsComplete(&actions)
        return actions
    }

    /// `leg`'s TCP has ended, orderly or not.
    ///
    /// - Parameter canSend: which legs are at a frame boundary and can take a Close.
    mutating func ended(_ leg: Leg, canSend: PerLeg<Bool>) -> Actions {
        self.legs[leg].isDeaf = true
        self.legs[leg].isEnded = true
        var actions = self.lost(leg, leg == .client ? .clientGone : .backendGone, canSend: canSend)
        actions[leg].end = .cut
        return actions
    }

    /// `leg` is given up, be it that its connection has ended or that nobody lives behind it: it is not waited for. Where there is still
    /// something to say to it, that is tried.
    ///
    /// - Parameter canSend: which legs are at a frame boundary and can take a Close.
    mutating func lost(_ leg: Leg, _ cause: Cause, canSend: PerLeg<Bool>) -> Actions {
        var actions = Actions.none
        if self.isOpen {
            let ending = Ending.by(leg, cause)
            self.ending = ending
            for side in [leg, leg.other] {
                self.tell(side, ending, canSend: canSend[side], mayWait: false, &actions)
            }
        } else {
            // It will not answer any more: the other side gets the answer from us.
            self.answer(leg.other, canSend: canSend[leg.other], &actions)
        }
        self.cut(leg, &actions)
        return actions
    }

    /// `leg` broke a rule: it hears which, and is not listened to any more.
    mutating func violated(_ violation: Violation, by leg: Leg, canSend: PerLeg<Bool>) -> Actions {
        guard self.isOpen else {
            // Nonsense where the answer to our Close should be is as good as no answer.
            var actions = Actions.none
            self.legs[leg].isDeaf = true
            self.cut(leg, &actions)
            self.answer(leg.other, canSend: canSend[leg.other], &actions)
            return actions
        }
        self.legs[leg].isDeaf = true
        let ending = Ending.by(leg, Cause(violation))
        self.ending = ending
        var actions = Actions.none
        for side in [Leg.client, .backend] {
            self.tell(side, ending, canSend: canSend[side], mayWait: side == leg, &actions)
        }
        return actions
    }

    /// We end the session ourselves. A leg in the middle of a frame is told at the end of that frame (`reachedBoundary`).
    mutating func close(_ ending: Ending, canSend: PerLeg<Bool>) -> Actions {
        guard self.isOpen else { return .none }
        self.ending = ending
        var actions = Actions.none
        for side in [Leg.client, .backend] {
            self.tell(side, ending, canSend: canSend[side], mayWait: true, &actions)
        }
        return actions
    }

    /// The frame during which a Close came to wait for `leg` is whole.
    mutating func reachedBoundary(_ leg: Leg) -> Actions {
        var actions = Actions.none
        guard let close = self.legs[leg].waiting else { return actions }
        self.legs[leg].waiting = nil
        self.send(close, to: leg, &actions)
        self.endWhatIsComplete(&actions)
        return actions
    }

    /// The time for the peers' part of the closing handshake is over.
    ///
    /// - Parameter canSend: which legs are at a frame boundary and can take a Close.
    mutating func timedOut(canSend: PerLeg<Bool>) -> Actions {
        var actions = Actions.none
        for leg in [Leg.client, .backend] where !self.legs[leg].isEnded {
            self.answer(leg, canSend: canSend[leg], &actions)
            self.cut(leg, &actions)
        }
        return actions
    }

    // MARK: - What to do

    /// Tells one side that the session ends, if it was not told and has anything to hear.
    private mutating func tell(
        _ leg: Leg, _ ending: Ending, canSend: Bool, mayWait: Bool, _ actions: inout Actions
    ) {
        guard !self.legs[leg].isEnded, !self.legs[leg].sent, let close = ending.close(to: leg) else { return }
        if canSend {
            self.send(close, to: leg, &actions)
        } else if mayWait {
            self.legs[leg].waiting = close
        } else {
            // In the middle of a frame there is no place for a Close.
            self.cut(leg, &actions)
        }
    }

    private mutating func send(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        self.legs[leg].sent = true
        if leg == .client { self.code = close.code }
        actions[leg].say = .close(close)
        if self.legs[leg].isDeaf { self.finish(leg, &actions) }
    }

    /// Says the last word to `leg` in place of a side that will say nothing more: the Close that waited, or the answer to its own.
    /// In the middle of a frame, whose end will not come, there is no place for either.
    private mutating func answer(_ leg: Leg, canSend: Bool, _ actions: inout Actions) {
        guard !self.legs[leg].isEnded, !self.legs[leg].sent else { return }
        let answer = self.legs[leg].received.map { CloseFrame(code: $0.code) }
        guard let close = self.legs[leg].waiting ?? answer else { return }
        guard canSend else { return self.cut(leg, &actions) }
        self.legs[leg].waiting = nil
        self.send(close, to: leg, &actions)
        if answer != nil { self.finish(leg, &actions) }
    }

    private mutating func endWhatIsComplete(_ actions: inout Actions) {
        for leg in [Leg.client, .backend] where self.legs[leg].sent && self.legs[leg].received != nil {
            self.finish(leg, &actions)
        }
    }

    private mutating func finish(_ leg: Leg, _ actions: inout Actions) {
        guard !self.legs[leg].isEnded else { return }
        self.legs[leg].isEnded = true
        actions[leg].end = .finish
    }

    private mutating func cut(_ leg: Leg, _ actions: inout Actions) {
        guard !self.legs[leg].isEnded else { return }
        self.legs[leg].isEnded = true
        self.legs[leg].isDeaf = true
        self.legs[leg].waiting = nil
        actions[leg].end = .cut
    }
}
