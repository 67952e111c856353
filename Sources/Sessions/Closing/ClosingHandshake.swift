internal import Configuration
public import WebSocketProtocol

/// How a session ends, decided without I/O: the closing handshakes of its WebSocket legs (RFC 6455 section 7), and what each side still
/// owes the other (design section 7, "One cause a session").
///
/// On each leg a Close is said and a Close is received, in either order, and then our side of it ends. A Close of one peer is relayed to
/// the other, and only the other's own Close answers it: where none comes, the peer that closed hears that, and not its own code back
/// (RFC 6455 section 1.4). What happens is told by calls; what to do about it comes back as `Actions`, which the shell carries out.
///
/// The state of both legs' connections is here, too, from the beginning of the session: there is no other place that knows which have ended.
public struct ClosingHandshake: Sendable {
    /// Something that happened to a leg, beside frames.
    public enum Event: Equatable, Sendable {
        /// The peer's side of the connection is over.
        case ended(Leg, ConnectionEnd)
        /// It gave no answer to a ping.
        case silent(Leg)
        /// It takes nothing of what is left for it.
        case stalled(Leg)
        /// It had its time for what it is waited for.
        case timeOver(Leg)
        /// Our side of it has ended, and all of that has arrived.
        case delivered(Leg)
        /// The gateway does not wait for it: what is left for it is lost.
        case dismissed(Leg)

        var leg: Leg {
            switch self {
            case .ended(let leg, _), .silent(let leg), .stalled(let leg), .timeOver(let leg), .delivered(let leg),
                .dismissed(let leg):
                leg
            }
        }
    }

    /// What a leg that closes is waited for.
    public enum Awaited: Equatable, Sendable {
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
    public struct LegAction: Equatable, Sendable {
        public enum Say: Equatable, Sendable {
            case nothing
            /// Pass the Close that was just received on, byte for byte as it came.
            case relayedClose
            case close(CloseFrame)
        }

        public var say = Say.nothing
        public var end = End.notYet

        public init(say: Say = .nothing, end: End = .notYet) {
            self.say = say
            self.end = end
        }
    }

    /// How our side of a leg ends; a later one takes the place of those before it.
    public enum End: Int, Comparable, Sendable {
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

        public static func < (one: End, other: End) -> Bool { one.rawValue < other.rawValue }
    }

    /// What to do, leg by leg: say on both legs before one is ended, for that can end the session.
    public struct Actions: Equatable, Sendable {
        public var client = LegAction()
        public var backend = LegAction()

        public static let none = Actions()

        public subscript(leg: Leg) -> LegAction {
            get { leg == .client ? self.client : self.backend }
            _modify {
                switch leg {
                case .client: yield &self.client
                case .backend: yield &self.backend
                }
            }
        }
    }

    /// Where the frames of both sides stand when something happens.
    public struct Places: Equatable, Sendable {
        /// Which legs are at a frame boundary, where a Close can be said.
        public var canSend = PerLeg(client: true, backend: true)
        /// The client is in the middle of a message.
        public var clientIsInsideOfMessage = false
        /// It has sent more than was passed on.
        public var clientHasMore = false

        public init(
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
        indirect case waiting(CloseFrame)
        case close(CloseCode?)
    }

    /// What becomes of a leg's connection, as seen from here.
    private enum Connection: Equatable, Sendable {
        case absent
        case open
        /// It broke a rule, or gets an answer in place of a session: what still comes is not looked at.
        case ignored
        /// The peer has ended its side, in order: it may still take what is left for it.
        case ended
        /// It takes nothing any more, or has left without a Close.
        case gone
        /// - wasGone: it was `gone` before.
        case closed(wasGone: Bool)
    }

    private enum Received: Equatable, Sendable {
        case nothing
        case close(CloseCode?)

        var code: CloseCode? {
            if case .close(let code) = self { code } else { nil }
        }
    }

    /// Why the session ends. An open session carries no room for it: there are many more of those.
    private indirect enum Conclusion: Sendable {
        case none
        case ended(Ending, detail: String?)
    }

    private struct LegState: Sendable {
        var connection: Connection
        var said = Said.nothing
        var received = Received.nothing
        var end = End.notYet
    }

    private var conclusion = Conclusion.none
    /// `nil`: there is no session, not yet or because an answer takes its place.
    public private(set) var kind: SessionKind?
    /// Which codes the client understands.
    private var codes = CloseCodes.registered
    private var legs = PerLeg(client: LegState(connection: .open), backend: LegState(connection: .absent))

    // MARK: - Before the session is open

    /// The request was admitted to a route.
    ///
    /// - Parameter codes: which ones the client understands.
    mutating func admit(_ codes: CloseCodes) { self.codes = codes }

    /// The backend's leg has a connection now.
    mutating func connected() { self.legs.backend.connection = .open }

    /// It has none any more: another may follow.
    mutating func disconnected() { self.legs.backend.connection = .absent }

    /// The client has its 101.
    mutating func begin(_ kind: SessionKind) { self.kind = kind }

    /// The client gets an answer in place of a session: all that is waited for is its end.
    mutating func answer() {
        if self.legs.client.connection == .open { self.legs.client.connection = .ignored }
        self.legs.client.end = .shutDown
    }

    // MARK: - Questions

    /// Why and by whom the session ends; `nil` while it is open.
    public var ending: Ending? {
        if case .ended(let ending, _) = self.conclusion { ending } else { nil }
    }

    /// More on that, for the log.
    public var detail: String? {
        if case .ended(_, let detail) = self.conclusion { detail } else { nil }
    }

    /// Whether the session has begun, and nothing has ended it yet.
    public var isOpen: Bool {
        if case .none = self.conclusion { self.kind != nil } else { false }
    }

    /// Whether both connections are closed.
    public var isOver: Bool {
        !self.isConnected(.client) && !self.isConnected(.backend)
    }

    /// Whether `leg` has a connection that is not closed.
    public func isConnected(_ leg: Leg) -> Bool {
        switch self.legs[leg].connection {
        case .absent, .closed: false
        case .open, .ignored, .ended, .gone: true
        }
    }

    /// Whether nothing more is expected from `leg`, whose connection is not closed yet: it has ended its side, or is gone.
    public func hasEnded(_ leg: Leg) -> Bool {
        self.legs[leg].connection == .ended || self.legs[leg].connection == .gone
    }

    private func isGone(_ leg: Leg) -> Bool {
        self.legs[leg].connection == .gone || self.legs[leg].connection == .closed(wasGone: true)
    }

    /// For the log: the code of the Close that ended the session, or else of the one that the client was sent; `nil` is none.
    public var code: CloseCode? {
        switch (self.ending?.cause, self.kind) {
        case (.clientClosed?, _): return self.legs.client.received.code
        case (.backendClosed?, .relay): return self.legs.backend.received.code
        default:
            guard case .close(let code) = self.legs.client.said else { return nil }
            return code
        }
    }

    /// Whether messages from `leg` still go on: not after its Close, and not to a side that was sent one or has ended.
    public func relays(from leg: Leg) -> Bool {
        guard self.reads(from: leg), self.isConnected(leg.other), self.legs[leg.other].end == .notYet else {
            return false
        }
        if case .close = self.legs[leg.other].said { return false }
        return true
    }

    /// Whether frames of `leg` are still looked at, be it only for its Close.
    public func reads(from leg: Leg) -> Bool {
        self.legs[leg].connection == .open && self.legs[leg].received == .nothing
    }

    /// Whether a Close waits for `leg` to reach the end of a frame.
    public func isWaiting(_ leg: Leg) -> Bool { self.awaits(leg) == .boundary }

    /// Whether a Close came from `leg`, which no failure of its connection undoes: what came before it is all there was to come.
    public func hasClosed(_ leg: Leg) -> Bool { self.legs[leg].received != .nothing }

    /// What `leg` is waited for, in a session that closes.
    public func awaits(_ leg: Leg) -> Awaited {
        switch (self.legs[leg].said, self.legs[leg].end) {
        // Our side may have ended already: a client owes a bridge its Close all the same.
        case (.close, .notYet) where self.legs[leg].received == .nothing: return .close
        case (.close, .shutDown) where self.owesClose(leg): return .close
        case (.nothing, .notYet): return .nothing
        case (.waiting, .notYet): return .boundary
        default: return .end
        }
    }

    /// Whether nothing is left that takes what `leg` says, so that it is read only as far as its Close may be among that. A client that was
    /// told so by a Close of ours is still read until it has seen that.
    public func isAlone(_ leg: Leg) -> Bool {
        self.isGone(leg.other) && (leg == .backend || self.awaits(leg) == .close)
    }

    /// How `leg`'s connection is closed now that all that is left for it was delivered; `nil`: not yet.
    public func endWhenDelivered(_ leg: Leg) -> End? {
        guard self.awaits(leg) == .end else { return nil }
        if self.legs[leg].end == .abortDelivered { return .abort }
        return self.hasEnded(leg) ? .close : nil
    }

    /// Whether the client's Close is answered as soon as all that is left for `leg` was delivered.
    public func isAwaitingDelivery(of leg: Leg) -> Bool {
        leg == .backend && self.kind == .bridge && self.ending?.cause == .clientClosed
            && self.legs.client.said == .nothing && self.legs.client.end == .notYet
    }

    /// Whether the other side has closed, waits for an answer, and only `leg` can give it.
    private func owesClose(_ leg: Leg) -> Bool {
        guard let ending = self.ending, ending.by == .leg(leg.other), !self.isGone(leg.other),
            ending.cause == .clientClosed || ending.cause == .backendClosed
        else { return false }
        switch (leg, self.kind) {
        case (.backend, .serve), (_, nil): return false
        case (.backend, .bridge): return self.isAwaitingDelivery(of: leg)
        case (.client, _), (.backend, .relay): return self.legs[leg].received == .nothing
        }
    }

    // MARK: - What happens

    /// A Close came from `leg`: it is relayed to the other side, or it answers ours, or both (they crossed).
    mutating func received(_ close: CloseFrame, from leg: Leg) -> Actions {
        guard self.reads(from: leg) else { return .none }
        self.legs[leg].received = .close(close.code)
        if self.isOpen { self.setEnding(.by(leg, leg == .client ? .clientClosed : .backendClosed)) }
        var actions = Actions.none
        let other = leg.other
        if case .waiting(let waiting) = self.legs[other].said {
            // The frame that ours waited for is whole, and it was first.
            self.say(waiting, to: other, &actions)
        } else if self.legs[other].said == .nothing, self.legs[other].end == .notYet {
            self.passOn(close, to: other, &actions)
        }
        // We are the other side ourselves (RFC 6455 section 5.5.1).
        if self.kind == .serve, self.legs[leg].said == .nothing {
            self.say(CloseFrame(code: close.code), to: leg, &actions)
        }
        self.endIfComplete(leg, &actions)
        self.endIfComplete(other, &actions)
        return actions
    }

    /// `leg` broke a rule: it hears which, and is not listened to any more.
    ///
    /// - Parameter words: what it hears, where that is more than the rule.
    mutating func violated(
        _ violation: Violation, by leg: Leg, _ places: Places, _ words: String? = nil
    ) -> Actions {
        var actions = Actions.none
        let wasOpen = self.isOpen
        let owed = self.owesClose(leg)
        if self.legs[leg].connection == .open { self.legs[leg].connection = .ignored }
        if wasOpen || owed {
            let words = words ?? violation.description
            self.setEnding(.violated(violation, by: leg, words), words)
        }
        if wasOpen { self.tell(leg, places, mayWait: true, &actions) }
        if wasOpen || owed { self.tell(leg.other, places, mayWait: false, &actions) }
        // Its own frame in progress will not end, either.
        self.resolveWaiting(leg.other, places, &actions)
        // Nonsense in place of an answer to our Close is as good as none.
        if self.awaits(leg) != .boundary { self.endSaying(leg, &actions) }
        return actions
    }

    /// We end the session ourselves. A leg in the middle of a frame is told at the end of that frame (`reachedBoundary`).
    mutating func close(_ ending: Ending, _ places: Places) -> Actions {
        guard self.isOpen else { return .none }
        self.setEnding(ending)
        var actions = Actions.none
        for leg in [Leg.client, .backend] { self.tell(leg, places, mayWait: true, &actions) }
        return actions
    }

    /// The frame during which a Close came to wait for `leg` is whole.
    mutating func reachedBoundary(_ leg: Leg) -> Actions {
        var actions = Actions.none
        guard case .waiting(let close) = self.legs[leg].said else { return actions }
        self.say(close, to: leg, &actions)
        self.endIfComplete(leg, &actions)
        return actions
    }

    /// Something happened to a leg's connection.
    ///
    /// - Parameter detail: more on it, for the log, if it ends the session.
    mutating func happened(_ event: Event, _ places: Places, detail: String? = nil) -> Actions {
        var actions = Actions.none
        guard self.isConnected(event.leg) else { return actions }
        switch event {
        case .ended(.backend, .inOrder) where self.kind == .bridge: self.serverEnded(places, &actions)
        case .ended(let leg, let how): self.ended(leg, how, places, detail, &actions)
        case .silent(let leg): self.lost(leg, .pingTimeout(leg), as: .close, places, detail, &actions)
        case .stalled(let leg):
            if self.isOpen {
                self.lost(leg, .stalled(leg), as: .abort, places, detail, &actions)
            } else {
                self.hadItsTime(leg, as: .abort, places, detail, &actions)
            }
        case .timeOver(let leg):
            switch self.awaits(leg) {
            case .boundary: self.end(leg, as: .shutDown, &actions)
            case .close: self.hadItsTime(leg, as: .close, places, detail, &actions)
            case .end, .nothing: self.end(leg, as: .close, &actions)
            }
        case .delivered(let leg): self.delivered(leg, &actions)
        case .dismissed(let leg):
            let owed = self.owesClose(leg)
            self.legs[leg].connection = .gone
            self.resolveWaiting(leg.other, places, &actions)
            self.end(leg, as: .abort, &actions)
            // The side that has closed waits for an answer that does not come.
            if owed { self.end(leg.other, as: .shutDown, &actions) }
        }
        return actions
    }

    /// A leg's connection is closed.
    mutating func closed(_ leg: Leg) {
        self.legs[leg].connection = .closed(wasGone: self.isGone(leg))
        self.legs[leg].end = .abort
        if case .waiting = self.legs[leg].said { self.legs[leg].said = .nothing }
    }

    /// From now on this is why the session ends.
    private mutating func setEnding(_ ending: Ending, _ detail: String? = nil) {
        self.conclusion = .ended(ending, detail: detail)
    }

    // MARK: - Ends of connections

    /// A TCP server's end of file: it may go on taking what is left for it.
    private mutating func serverEnded(_ places: Places, _ actions: inout Actions) {
        if self.isOpen {
            self.setEnding(.by(.backend, .backendClosed))
            for leg in [Leg.client, .backend] { self.tell(leg, places, mayWait: false, &actions) }
        }
        self.legs.backend.connection = .ended
    }

    private mutating func ended(
        _ leg: Leg, _ how: ConnectionEnd, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        let hasClosed = self.legs[leg].received != .nothing
        // Behind a Close nothing can be missing.
        let inOrder = how == .inOrder || how == .truncated && hasClosed
        let wasGone = self.isGone(leg)
        // Nothing that follows is looked at, and a Close of its own does not come any more.
        self.legs[leg].connection = .ended
        self.leave(leg, leg == .client ? .clientGone : .backendGone, places, detail, &actions)
        if !inOrder || !hasClosed || wasGone { self.legs[leg].connection = .gone }
        if !inOrder {
            self.end(leg, as: .close, &actions)
        } else if !hasClosed {
            self.end(leg, as: .shutDown, &actions)
        }
    }

    /// `leg` is not waited for any more while the session is open. Where there is still something to say to it, that is tried.
    private mutating func lost(
        _ leg: Leg, _ cause: Cause, as end: End, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        guard self.isOpen else { return }
        self.setEnding(.by(leg, cause), detail)
        for side in [leg, leg.other] { self.tell(side, places, mayWait: false, &actions) }
        self.legs[leg].connection = .gone
        self.end(leg, as: end, &actions)
    }

    /// `leg` had its time, in a session that closes.
    private mutating func hadItsTime(
        _ leg: Leg, as end: End, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        self.leave(leg, .stalled(leg), places, detail, &actions)
        self.legs[leg].connection = .gone
        self.end(leg, as: end, &actions)
    }

    /// Nothing more comes from `leg`. If it owed a Close, that is what ends the session, and the other side, which may have closed before,
    /// hears of it.
    private mutating func leave(
        _ leg: Leg, _ cause: Cause, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        if self.isOpen || self.owesClose(leg) {
            self.setEnding(.by(leg, cause), detail)
            self.tell(leg.other, places, mayWait: false, &actions)
        }
        self.resolveWaiting(leg.other, places, &actions)
    }

    /// A TCP server has all that the client sent, and the end of it: it owes nothing more, and the client's Close is answered.
    private mutating func delivered(_ leg: Leg, _ actions: inout Actions) {
        guard self.isAwaitingDelivery(of: leg) else { return }
        self.say(CloseFrame(code: self.legs.client.received.code), to: .client, &actions)
    }

    // MARK: - What to do

    /// Relays a Close; to a TCP server that is an end of file.
    private mutating func passOn(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        guard self.isConnected(leg) else { return }
        if leg == .backend, self.kind != .relay { return self.end(leg, as: .shutDown, &actions) }
        self.legs[leg].said = .close(close.code)
        actions[leg].say = .relayedClose
    }

    /// Tells one side that the session ends, if it was not told and has anything to hear.
    private mutating func tell(_ leg: Leg, _ places: Places, mayWait: Bool, _ actions: inout Actions) {
        guard let ending = self.ending, self.isConnected(leg), self.legs[leg].end == .notYet else { return }
        if leg == .backend, self.kind != .relay {
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
        guard self.isConnected(leg), end > self.legs[leg].end else { return }
        self.legs[leg].end = end
        actions[leg].end = end
        if case .waiting = self.legs[leg].said { self.legs[leg].said = .nothing }
    }
}
