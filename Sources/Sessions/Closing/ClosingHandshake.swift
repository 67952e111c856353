internal import Configuration
public import WebSocketProtocol

/// How a session ends, decided without I/O: the closing handshakes of its WebSocket legs (RFC 6455 section 7), and what each side still
/// owes the other.
///
/// On each leg we send a Close and receive one, in either order; then our side ends. A Close from one peer is relayed to the other, and
/// only the other's own Close answers it. If none comes, the peer that closed is told so; it does not get its own code back (RFC 6455
/// section 1.4). Calls say what happened; the returned `Actions` say what to do.
///
/// This is also the only place that knows which legs' connections have ended, from the start of the session.
public struct ClosingHandshake: Sendable {
    /// Something that happened to a leg, beside frames.
    public enum Event: Equatable, Sendable {
        /// The peer's side of the connection has ended.
        case ended(Leg, ConnectionEnd)
        /// The peer did not answer a ping.
        case silent(Leg)
        /// The peer accepts none of the bytes that are queued for it.
        case stalled(Leg)
        /// The peer did not do what we wait for in time.
        case timeOver(Leg)
        /// Our side has ended, and the peer has acknowledged everything.
        case delivered(Leg)
        /// The gateway does not wait for the leg: queued bytes are discarded.
        case dismissed(Leg)

        var leg: Leg {
            switch self {
            case .ended(let leg, _), .silent(let leg), .stalled(let leg), .timeOver(let leg), .delivered(let leg),
                .dismissed(let leg):
                leg
            }
        }
    }

    /// What we wait for on a closing leg.
    public enum Awaited: Equatable, Sendable {
        /// Nothing: it is the other leg's turn.
        case nothing
        /// The end of the frame that is being relayed to the leg: then it is sent its Close.
        case boundary
        /// The peer's Close.
        case close
        /// The end of the connection.
        case end
    }

    /// Where both sides are in their frames when something happens.
    public struct Places: Equatable, Sendable {
        /// Which legs are at a frame boundary, where a Close can be sent.
        public var canSend = PerLeg(client: true, backend: true)
        /// The client is in the middle of a message.
        public var clientIsInsideOfMessage = false
        /// The client has sent more than was passed on.
        public var clientHasMore = false

        /// By default, both legs are between two messages.
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

    /// The state of a leg's connection.
    private enum Connection: Equatable, Sendable {
        case absent
        case open
        /// The peer broke a rule: what it still sends is not looked at.
        case ignored
        /// The peer has ended its side in order, and may still accept queued bytes.
        case ended
        /// The peer accepts nothing any more, or has left without a Close.
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

    /// Why the session ends. Indirect, so that the many open sessions carry no memory for it.
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
    /// `nil` while the session is being opened.
    public private(set) var kind: SessionKind?
    /// The close codes that the client understands.
    private let codes: CloseCodes
    private var legs = PerLeg(client: LegState(connection: .open), backend: LegState(connection: .absent))

    // MARK: - Before the session is open

    /// - Parameter codes: the close codes that the client understands.
    init(_ codes: CloseCodes) { self.codes = codes }

    /// The backend's leg has a connection now.
    mutating func connected() { self.legs.backend.connection = .open }

    /// The backend's leg has no connection any more; another may follow.
    mutating func disconnected() { self.legs.backend.connection = .absent }

    /// The client has its 101.
    mutating func begin(_ kind: SessionKind) { self.kind = kind }

    // MARK: - Questions

    /// Why the session ends, and which side ended it; `nil` while it is open.
    public var ending: Ending? {
        if case .ended(let ending, _) = self.conclusion { ending } else { nil }
    }

    /// Details of `ending` for the log.
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

    /// Whether `leg` has a connection that is not closed yet.
    public func isConnected(_ leg: Leg) -> Bool {
        switch self.legs[leg].connection {
        case .absent, .closed: false
        case .open, .ignored, .ended, .gone: true
        }
    }

    /// Whether nothing more is expected from `leg` although its connection is not closed yet: the peer has ended its side, or is gone.
    public func hasEnded(_ leg: Leg) -> Bool {
        self.legs[leg].connection == .ended || self.legs[leg].connection == .gone
    }

    private func isGone(_ leg: Leg) -> Bool {
        self.legs[leg].connection == .gone || self.legs[leg].connection == .closed(wasGone: true)
    }

    /// For the log: the code of the Close that ended the session, else of the Close that the client was sent; `nil` if neither has one.
    public var code: CloseCode? {
        switch (self.ending?.cause, self.kind) {
        case (.clientClosed?, _): return self.legs.client.received.code
        case (.backendClosed?, .relay): return self.legs.backend.received.code
        default:
            guard case .close(let code) = self.legs.client.said else { return nil }
            return code
        }
    }

    /// For the log: the reason in the Close that the client was sent, if that was the gateway's own. What a peer said there is its own matter.
    public var reason: String? {
        guard case .close = self.legs.client.said, let ending = self.ending else { return nil }
        if ending.cause == .backendClosed, self.kind == .relay { return nil }
        return ending.close(to: .client, self.codes)?.reason
    }

    /// Whether messages from `leg` are still relayed: not after its Close, and not to a side that was sent a Close or has ended.
    public func relays(from leg: Leg) -> Bool {
        guard self.reads(from: leg), self.isConnected(leg.other), self.legs[leg.other].end == .notYet else {
            return false
        }
        if case .close = self.legs[leg.other].said { return false }
        return true
    }

    /// Whether frames from `leg` are still read, if only to find its Close.
    public func reads(from leg: Leg) -> Bool {
        self.legs[leg].connection == .open && self.legs[leg].received == .nothing
    }

    /// Whether a Close to `leg` waits for the end of the frame that is being relayed to it.
    public func isWaiting(_ leg: Leg) -> Bool { self.awaits(leg) == .boundary }

    /// Whether a Close came from `leg`. Then its data is complete, even if its connection fails later.
    public func hasClosed(_ leg: Leg) -> Bool { self.legs[leg].received != .nothing }

    /// What a closing session waits for on `leg`.
    public func awaits(_ leg: Leg) -> Awaited {
        switch (self.legs[leg].said, self.legs[leg].end) {
        // A client owes a bridge its Close even if our side has already ended.
        case (.close, .notYet) where self.legs[leg].received == .nothing: return .close
        case (.close, .shutDown) where self.owesClose(leg): return .close
        case (.nothing, .notYet): return .nothing
        case (.waiting, .notYet): return .boundary
        default: return .end
        }
    }

    /// Whether no other side is left that takes what `leg` sends. Then it is read only to find its Close; a client that was sent our Close
    /// is read until it has seen it.
    public func isAlone(_ leg: Leg) -> Bool {
        self.isGone(leg.other) && (leg == .backend || self.awaits(leg) == .close)
    }

    /// How to close `leg`'s connection now that everything was delivered to it; `nil`: not yet.
    public func endWhenDelivered(_ leg: Leg) -> End? {
        guard self.awaits(leg) == .end else { return nil }
        if self.legs[leg].end == .abortDelivered { return .abort }
        return self.hasEnded(leg) ? .close : nil
    }

    /// Whether the client's Close is answered as soon as everything was delivered to `leg`.
    public func isAwaitingDelivery(of leg: Leg) -> Bool {
        leg == .backend && self.kind == .bridge && self.ending?.cause == .clientClosed
            && self.legs.client.said == .nothing && self.legs.client.end == .notYet
    }

    /// Whether the other side has closed and waits for an answer that only `leg` can give.
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
            // The frame that our Close waited for is whole, and ours was decided first.
            self.say(waiting, to: other, &actions)
        } else if self.legs[other].said == .nothing, self.legs[other].end == .notYet {
            self.passOn(close, to: other, &actions)
        }
        // There is no other side: the answer is ours (RFC 6455 section 5.5.1).
        if self.kind == .serve, self.legs[leg].said == .nothing {
            self.say(CloseFrame(code: close.code), to: leg, &actions)
        }
        self.endIfComplete(leg, &actions)
        self.endIfComplete(other, &actions)
        return actions
    }

    /// `leg` broke a rule: it is told which, and is not read any more.
    ///
    /// - Parameter words: the reason that it is told, if that says more than the rule.
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
        // Its frame in progress will not end, either.
        self.resolveWaiting(leg.other, places, &actions)
        // Invalid bytes instead of an answer to our Close count as no answer.
        if self.awaits(leg) != .boundary { self.endSaying(leg, &actions) }
        return actions
    }

    /// The gateway ends the session. A leg in the middle of a frame is sent its Close at the end of that frame (`reachedBoundary`).
    mutating func close(_ ending: Ending, _ places: Places) -> Actions {
        guard self.isOpen else { return .none }
        self.setEnding(ending)
        var actions = Actions.none
        for leg in [Leg.client, .backend] { self.tell(leg, places, mayWait: true, &actions) }
        return actions
    }

    /// The frame that a Close to `leg` waited for is whole.
    mutating func reachedBoundary(_ leg: Leg) -> Actions {
        var actions = Actions.none
        guard case .waiting(let close) = self.legs[leg].said else { return actions }
        self.say(close, to: leg, &actions)
        self.endIfComplete(leg, &actions)
        return actions
    }

    /// Something happened to a leg's connection.
    ///
    /// - Parameter detail: for the log, if this ends the session.
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
            // The side that has closed waits for an answer that will not come.
            if owed { self.end(leg.other, as: .shutDown, &actions) }
        }
        return actions
    }

    /// The connection of `leg` is closed.
    mutating func closed(_ leg: Leg) {
        self.legs[leg].connection = .closed(wasGone: self.isGone(leg))
        self.legs[leg].end = .abort
        if case .waiting = self.legs[leg].said { self.legs[leg].said = .nothing }
    }

    private mutating func setEnding(_ ending: Ending, _ detail: String? = nil) {
        self.conclusion = .ended(ending, detail: detail)
    }

    // MARK: - Ends of connections

    /// A TCP server has sent its end of file, and may still accept queued bytes.
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
        // After a Close, nothing can be missing.
        let inOrder = how == .inOrder || how == .truncated && hasClosed
        let wasGone = self.isGone(leg)
        // Nothing that follows is read, so its own Close cannot come any more.
        self.legs[leg].connection = .ended
        self.leave(leg, leg == .client ? .clientGone : .backendGone, places, detail, &actions)
        if !inOrder || !hasClosed || wasGone { self.legs[leg].connection = .gone }
        if !inOrder {
            self.end(leg, as: .close, &actions)
        } else if !hasClosed {
            self.end(leg, as: .shutDown, &actions)
        }
    }

    /// An open session does not wait for `leg` any more. It still tries to send it a Close where there is one to send.
    private mutating func lost(
        _ leg: Leg, _ cause: Cause, as end: End, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        guard self.isOpen else { return }
        self.setEnding(.by(leg, cause), detail)
        for side in [leg, leg.other] { self.tell(side, places, mayWait: false, &actions) }
        self.legs[leg].connection = .gone
        self.end(leg, as: end, &actions)
    }

    /// `leg` did not do in time what the closing session waits for.
    private mutating func hadItsTime(
        _ leg: Leg, as end: End, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        self.leave(leg, .stalled(leg), places, detail, &actions)
        self.legs[leg].connection = .gone
        self.end(leg, as: end, &actions)
    }

    /// Nothing more comes from `leg`. If it owed a Close, that is what ends the session, and the other side is told so, even if it has
    /// already closed.
    private mutating func leave(
        _ leg: Leg, _ cause: Cause, _ places: Places, _ detail: String?, _ actions: inout Actions
    ) {
        if self.isOpen || self.owesClose(leg) {
            self.setEnding(.by(leg, cause), detail)
            self.tell(leg.other, places, mayWait: false, &actions)
        }
        self.resolveWaiting(leg.other, places, &actions)
    }

    /// A TCP server has acknowledged all that the client sent, and our end of file: now the client's Close is answered.
    private mutating func delivered(_ leg: Leg, _ actions: inout Actions) {
        guard self.isAwaitingDelivery(of: leg) else { return }
        self.say(CloseFrame(code: self.legs.client.received.code), to: .client, &actions)
    }

    // MARK: - What to do

    /// Relays a Close; a TCP server gets an end of file instead.
    private mutating func passOn(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        guard self.isConnected(leg) else { return }
        if leg == .backend, self.kind != .relay { return self.end(leg, as: .shutDown, &actions) }
        self.legs[leg].said = .close(close.code)
        actions[leg].say = .relayedClose
    }

    /// Tells one side that the session ends, unless it was told already or needs no word.
    private mutating func tell(_ leg: Leg, _ places: Places, mayWait: Bool, _ actions: inout Actions) {
        guard let ending = self.ending, self.isConnected(leg), self.legs[leg].end == .notYet else { return }
        if leg == .backend, self.kind != .relay {
            // An incomplete stream must not look complete; but a server that ended the session wants no more.
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
            // The frame in progress will not end, so there is no place for a Close.
            self.end(leg, as: .shutDown, &actions)
        }
    }

    /// Sends a Close of ours, or an answer; a client's leg is shut down right after it.
    private mutating func say(_ close: CloseFrame, to leg: Leg, _ actions: inout Actions) {
        self.legs[leg].said = .close(close.code)
        actions[leg].say = .close(close)
        if leg == .client { self.end(leg, as: .shutDown, &actions) } else { self.endIfComplete(leg, &actions) }
    }

    /// The frame that a Close to `leg` waits for will not end.
    private mutating func resolveWaiting(_ leg: Leg, _ places: Places, _ actions: inout Actions) {
        guard case .waiting(let close) = self.legs[leg].said else { return }
        if places.canSend[leg] { self.say(close, to: leg, &actions) } else { self.end(leg, as: .shutDown, &actions) }
    }

    private mutating func endIfComplete(_ leg: Leg, _ actions: inout Actions) {
        guard case .close = self.legs[leg].said, !self.reads(from: leg) else { return }
        self.endSaying(leg, &actions)
    }

    /// We send nothing more to `leg`.
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
