package import Configuration
package import WebSocketProtocol

/// How a session ends, decided without I/O: the closing handshakes of its WebSocket legs (RFC 6455 section 7), and who owes whom what
/// (design section 7, "One cause a session").
///
/// On each leg a Close is said and a Close is received, in either order, and then our side of it ends. A Close of one peer is relayed to
/// the other, and only the other's own Close answers it: where none comes, the peer that closed hears that, and not its own code back
/// (RFC 6455 section 1.4). What happens is told by calls; what to do about it comes back as `Actions`, which the shell carries out.
package struct ClosingHandshake: Sendable {
    /// What the backend's leg is.
    package enum Backend: Sendable {
        case webSocket
        /// A bridge's: its end of file is its Close, and ours is a FIN.
        case tcp
        /// There is none: we are the server ourselves.
        case builtin
    }

    /// Something that happened to a leg, beside frames.
    package enum Event: Equatable, Sendable {
        /// The peer's side of the connection is over.
        ///
        /// - inOrder: with a FIN; else it was reset, or failed otherwise, and takes nothing any more.
        case ended(Leg, inOrder: Bool)
        /// It is silent, or takes nothing, while the session is open.
        case lost(Leg, Cause)
        /// It takes nothing of what is left for it.
        case stalled(Leg)
        /// It has taken everything, and its Close does not come.
        case unanswered(Leg)
        /// The frame that a Close of ours waits for, on its way to the leg, does not come to its end.
        case unfinished(Leg)
        /// Our side of it has ended, and all of that has arrived.
        case delivered(Leg)
    }

    /// What a leg that closes is waited for.
    package enum Awaited: Equatable, Sendable {
        /// For nothing: it is the other leg's turn.
        case nothing
        /// For the end of the frame that is on its way to the leg: then it is sent its Close.
        case boundary
        /// For its Close.
        case close
        /// For the end of its connection.
        case end
    }

    /// What to do with one leg: first say, then end.
    package struct LegAction: Equatable, Sendable {
        package enum Say: Equatable, Sendable {
            case nothing
            /// Pass the Close that was just received on, byte for byte as it came.
            case relayedClose
            case close(CloseFrame)
        }

        package var say = Say.nothing
        package var end = End.notYet
    }

    /// How our side of a leg ends; a later one takes the place of those before it.
    package enum End: Int, Comparable, Sendable {
        case notYet
        /// Nothing more is said; the peer, a server, ends the connection first (RFC 6455 section 7.1.1).
        case wait
        /// Our side is shut down behind everything that is queued.
        case shutDown
        /// The connection is aborted once everything was delivered: what the peer got is not all there should have been.
        case abortDelivered
        /// The connection is closed, in order.
        case close
        /// The connection is aborted now.
        case abort

        package static func < (one: End, other: End) -> Bool { one.rawValue < other.rawValue }
    }

    package struct Actions: Equatable, Sendable {
        package var client = LegAction()
        package var backend = LegAction()

        package static let none = Actions()

        package subscript(leg: Leg) -> LegAction {
            get { leg == .client ? self.client : self.backend }
            _modify {
                switch leg {
                case .client: yield &self.client
                case .backend: yield &self.backend
                }
            }
        }
    }

    /// What the other side of our own word can take, when something happens.
    package struct Places: Equatable, Sendable {
        /// Which legs are at a frame boundary, where a Close can be said.
        package var canSend = PerLeg(client: true, backend: true)
        /// The client is in the middle of a message.
        package var clientIsInsideOfMessage = false
        /// It has sent more than was passed on.
        package var clientHasMore = false

        package init(
            canSend: PerLeg<Bool> = PerLeg(client: true, backend: true), clientIsInsideOfMessage: Bool = false,
            clientHasMore: Bool = false
        ) {
            self.canSend = canSend
            self.clientIsInsideOfMessage = clientIsInsideOfMessage
            self.clientHasMore = clientHasMore
        }
    }

    private enum Said: Equatable, Sendable {
        case nothing
        /// A Close waits for the end of a frame that is being relayed to this leg.
        case waiting(CloseFrame)
        case close(CloseCode?)
    }

    private struct LegState: Sendable {
        var said = Said.nothing
        var received: CloseFrame?
        /// Nothing that this leg still sends is looked at: it broke a rule, or its input is over.
        var isDeaf = false
        var end = End.notYet
        /// Its connection is over, and it did not close, or can take nothing any more.
        var isGone = false
    }

    /// Why and by whom the session ends; `nil` while it is open.
    package private(set) var ending: Ending?
    private let backend: Backend
    private let codes: CloseCodes
    private var legs = PerLeg(client: LegState(), backend: LegState())

    /// - Parameter codes: which ones the client understands.
    package init(backend: Backend, codes: CloseCodes = .registered) {
        self.backend = backend
        self.codes = codes
        if case .builtin = backend {
            self.legs.backend.isDeaf = true
            self.legs.backend.end = .close
        }
    }

    package var isOpen: Bool { self.ending == nil }

    /// For the log: the code of the Close that ended the session, or else of the one that the client was sent; `nil` is none.
    package var code: CloseCode? {
        switch (self.ending?.cause, self.backend) {
        case (.clientClosed?, _): return self.legs.client.received?.code
        case (.backendClosed?, .webSocket): return self.legs.backend.received?.code
        default:
            guard case .close(let code) = self.legs.client.said else { return nil }
            return code
        }
    }

    /// For the log: which rule was broken, where that ends the session.
    package var brokenRule: String? { self.ending?.brokenRule }

    /// Whether messages from `leg` still go on: not after its Close, and not to a side that was sent one or has ended.
    package func relays(from leg: Leg) -> Bool {
        guard self.reads(from: leg), self.legs[leg.other].end == .notYet else { return false }
        if case .close = self.legs[leg.other].said { return false }
        return true
    }

    /// Whether frames of `leg` are still looked at, be it only for its Close.
    package func reads(from leg: Leg) -> Bool { !self.legs[leg].isDeaf && self.legs[leg].received == nil }

    /// Whether a Close waits for `leg` to reach the end of a frame.
    package func isWaiting(_ leg: Leg) -> Bool { self.awaits(leg) == .boundary }

    /// What `leg` is waited for, in a session that closes.
    package func awaits(_ leg: Leg) -> Awaited {
        switch (self.legs[leg].said, self.legs[leg].end) {
        // Our side may have ended already: a client owes a bridge its Close all the same.
        case (.close, .notYet) where self.legs[leg].received == nil: return .close
        case (.close, .shutDown) where self.owesClose(leg): return .close
        case (.nothing, .notYet): return .nothing
        case (.waiting, .notYet): return .boundary
        default: return .end
        }
    }

    /// Whether nobody is left for what `leg` says, so that it is read only as far as its Close may be among that. A client that was told
    /// so by a Close of ours is still read until it has seen that.
    package func isAlone(_ leg: Leg) -> Bool {
        self.legs[leg.other].isGone && (leg == .backend || self.awaits(leg) == .close)
    }

    /// Whether `leg`'s connection is to be aborted when all that is left for it was delivered.
    package func isCut(_ leg: Leg) -> Bool { self.legs[leg].end == .abortDelivered }

    /// Whether `leg` has closed, which no failure of its connection undoes: what came is all there was to come.
    package func hasClosed(_ leg: Leg) -> Bool { self.legs[leg].received != nil }

    // MARK: - What happens

    /// A Close came from `leg`: it is relayed to the other side, or it answers ours, or both (they crossed).
    package mutating func received(_ close: CloseFrame, from leg: Leg) -> Actions {
        guard self.reads(from: leg) else { return .none }
        self.legs[leg].received = close
        if self.isOpen { self.ending = .by(leg, leg == .client ? .clientClosed : .backendClosed) }
        var actions = Actions.none
        let other = leg.other
        if case .waiting(let waiting) = self.legs[other].said {
            // The frame that ours waited for is whole, and it was first.
            self.say(waiting, to: other, &actions)
        } else if self.legs[other].said == .nothing, self.legs[other].end == .notYet {
            self.passOn(close, to: other, &actions)
        }
        // We are the other side ourselves (RFC 6455 section 5.5.1).
        if case .builtin = self.backend, self.legs[leg].said == .nothing {
            self.say(CloseFrame(code: close.code), to: leg, &actions)
        }
        self.endIfComplete(leg, &actions)
        self.endIfComplete(other, &actions)
        return actions
    }

    /// `leg` broke a rule: it hears which, and is not listened to any more.
    ///
    /// - Parameter words: what it hears, where that is more than the rule.
    package mutating func violated(
        _ violation: Violation, by leg: Leg, _ places: Places, _ words: String? = nil
    ) -> Actions {
        var actions = Actions.none
        let wasOpen = self.isOpen
        let owed = self.owesClose(leg)
        self.legs[leg].isDeaf = true
        if wasOpen || owed { self.ending = .violated(violation, by: leg, words ?? violation.description) }
        if wasOpen { self.tell(leg, places, mayWait: true, &actions) }
        if wasOpen || owed { self.tell(leg.other, places, mayWait: false, &actions) }
        // Its own frame in progress will not end, either.
        self.resolveWaiting(leg.other, places, &actions)
        // Nonsense in place of an answer to our Close is as good as none.
        if self.awaits(leg) != .boundary { self.endSaying(leg, &actions) }
        return actions
    }

    /// We end the session ourselves. A leg in the middle of a frame is told at the end of that frame (`reachedBoundary`).
    package mutating func close(_ ending: Ending, _ places: Places) -> Actions {
        guard self.isOpen else { return .none }
        self.ending = ending
        var actions = Actions.none
        for leg in [Leg.client, .backend] { self.tell(leg, places, mayWait: true, &actions) }
        return actions
    }

    /// The frame during which a Close came to wait for `leg` is whole.
    package mutating func reachedBoundary(_ leg: Leg) -> Actions {
        var actions = Actions.none
        guard case .waiting(let close) = self.legs[leg].said else { return actions }
        self.say(close, to: leg, &actions)
        self.endIfComplete(leg, &actions)
        return actions
    }

    package mutating func happened(_ event: Event, _ places: Places) -> Actions {
        var actions = Actions.none
        switch event {
        case .ended(.backend, inOrder: true) where self.backend == .tcp: self.serverEnded(places, &actions)
        case .ended(let leg, let inOrder): self.ended(leg, inOrder: inOrder, places, &actions)
        case .lost(let leg, let cause): self.lost(leg, cause, places, &actions)
        case .stalled(let leg): self.giveUp(leg, as: .abort, places, &actions)
        case .unanswered(let leg): self.giveUp(leg, as: .close, places, &actions)
        case .unfinished(let leg): self.end(leg, as: .shutDown, &actions)
        case .delivered(let leg): self.delivered(leg, &actions)
        }
        return actions
    }

    // MARK: - Ends of connections

    /// A TCP server's end of file: it may go on taking what is left for it.
    private mutating func serverEnded(_ places: Places, _ actions: inout Actions) {
        if self.isOpen {
            self.ending = .by(.backend, .backendClosed)
            for leg in [Leg.client, .backend] { self.tell(leg, places, mayWait: false, &actions) }
        }
        self.legs.backend.isDeaf = true
    }

    private mutating func ended(_ leg: Leg, inOrder: Bool, _ places: Places, _ actions: inout Actions) {
        self.legs[leg].isDeaf = true
        self.leave(leg, leg == .client ? .clientGone : .backendGone, places, &actions)
        if !inOrder || self.legs[leg].received == nil { self.legs[leg].isGone = true }
        if !inOrder {
            self.end(leg, as: .close, &actions)
        } else if self.legs[leg].received == nil {
            self.end(leg, as: .shutDown, &actions)
        }
    }

    /// `leg` is given up while the session is open. Where there is still something to say to it, that is tried.
    private mutating func lost(_ leg: Leg, _ cause: Cause, _ places: Places, _ actions: inout Actions) {
        guard self.isOpen else { return }
        self.ending = .by(leg, cause)
        for side in [leg, leg.other] { self.tell(side, places, mayWait: false, &actions) }
        self.legs[leg].isDeaf = true
        self.legs[leg].isGone = true
        self.end(leg, as: cause == .stalled(leg) ? .abort : .close, &actions)
    }

    /// `leg` had its time.
    private mutating func giveUp(_ leg: Leg, as end: End, _ places: Places, _ actions: inout Actions) {
        self.leave(leg, .stalled(leg), places, &actions)
        self.legs[leg].isDeaf = true
        self.legs[leg].isGone = true
        self.end(leg, as: end, &actions)
    }

    /// Nothing more comes from `leg`. If it owed a Close, that is what ends the session, and the other side, which may have closed before,
    /// hears of it.
    private mutating func leave(_ leg: Leg, _ cause: Cause, _ places: Places, _ actions: inout Actions) {
        if self.isOpen || self.owesClose(leg) {
            self.ending = .by(leg, cause)
            self.tell(leg.other, places, mayWait: false, &actions)
        }
        self.resolveWaiting(leg.other, places, &actions)
    }

    /// A TCP server has all that the client sent, and the end of it: it owes nothing more, and the client's Close is answered.
    private mutating func delivered(_ leg: Leg, _ actions: inout Actions) {
        guard self.isAwaitingDelivery(of: leg), let close = self.legs.client.received else { return }
        self.say(CloseFrame(code: close.code), to: .client, &actions)
    }

    /// Whether the client's Close is answered as soon as all that is left for `leg` was delivered.
    package func isAwaitingDelivery(of leg: Leg) -> Bool {
        leg == .backend && self.backend == .tcp && self.ending?.cause == .clientClosed
            && self.legs.client.said == .nothing && self.legs.client.end == .notYet
    }

    /// Whether the other side has closed, waits for an answer, and only `leg` can give it.
    private func owesClose(_ leg: Leg) -> Bool {
        guard let ending = self.ending, ending.by == .leg(leg.other), !self.legs[leg.other].isGone,
            ending.cause == .clientClosed || ending.cause == .backendClosed
        else { return false }
        switch (leg, self.backend) {
        case (.backend, .builtin): return false
        case (.backend, .tcp): return self.isAwaitingDelivery(of: leg)
        case (.client, _), (.backend, .webSocket): return self.legs[leg].received == nil
        }
    }

    // MARK: - What to do

    /// Relays a Close; to a TCP server that is an end of file.
    private mutating func passOn(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        if leg == .backend, self.backend != .webSocket { return self.end(leg, as: .shutDown, &actions) }
        self.legs[leg].said = .close(close.code)
        actions[leg].say = .relayedClose
    }

    /// Tells one side that the session ends, if it was not told and has anything to hear.
    private mutating func tell(_ leg: Leg, _ places: Places, mayWait: Bool, _ actions: inout Actions) {
        guard let ending = self.ending, self.legs[leg].end == .notYet else { return }
        if leg == .backend, self.backend != .webSocket {
            // What it gets must not look like all there was; a server that has ended itself wants no more.
            let isCut =
                places.clientHasMore && ending.cause != .backendClosed
                || places.clientIsInsideOfMessage && ending.isDeparture(of: .client)
            return self.end(leg, as: isCut ? .abortDelivered : .shutDown, &actions)
        }
        guard self.legs[leg].said == .nothing, let close = ending.close(to: leg, self.codes) else { return }
        if places.canSend[leg] {
            self.say(close, to: leg, &actions)
        } else if mayWait {
            self.legs[leg].said = .waiting(close)
        } else {
            // In the middle of a frame, whose end will not come, there is no place for a Close.
            self.end(leg, as: .shutDown, &actions)
        }
    }

    /// A Close of ours, or an answer: a client's side is shut down right behind it.
    private mutating func say(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        self.legs[leg].said = .close(close.code)
        actions[leg].say = .close(close)
        if leg == .client { self.end(leg, as: .shutDown, &actions) } else { self.endIfComplete(leg, &actions) }
    }

    /// The frame that a Close waits for, on its way to `leg`, will not end.
    private mutating func resolveWaiting(_ leg: Leg, _ places: Places, _ actions: inout Actions) {
        guard case .waiting(let close) = self.legs[leg].said else { return }
        if places.canSend[leg] { self.say(close, to: leg, &actions) } else { self.end(leg, as: .shutDown, &actions) }
    }

    private mutating func endIfComplete(_ leg: Leg, _ actions: inout Actions) {
        guard case .close = self.legs[leg].said, !self.reads(from: leg) else { return }
        self.endSaying(leg, &actions)
    }

    /// There is nothing more to say to `leg`.
    private mutating func endSaying(_ leg: Leg, _ actions: inout Actions) {
        self.end(leg, as: leg == .client ? .shutDown : .wait, &actions)
    }

    private mutating func end(_ leg: Leg, as end: End, _ actions: inout Actions) {
        guard end > self.legs[leg].end else { return }
        self.legs[leg].end = end
        actions[leg].end = end
        if case .waiting = self.legs[leg].said { self.legs[leg].said = .nothing }
    }
}
