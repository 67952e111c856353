public import Configuration
public import System
public import WebSocketProtocol

/// One session from its admitted request to closed, decided without I/O: what happened goes in, what to do comes out.
///
/// This type decides the opening, from state to state as `Phase` shows. `ClosingHandshake` decides what follows the 101, because an open
/// session only waits for its end. What comes before the request, and the answer to a client that gets no session, is its connection's
/// (`ClientMachine`). The shell (`Session`) owns the sockets, says what happened and carries out the actions.
public struct SessionMachine: Sendable {
    /// How far the session has come; `closing` says more once it converses.
    public enum State: Equatable, Sendable {
        /// The next endpoint has to be chosen, if the session needs one.
        case choosing(EndpointsTried)
        /// TCP and TLS to an endpoint are being set up.
        case connecting(Attempt)
        /// The request was sent; the backend's answer is awaited.
        case backendHandshake(Attempt)
        /// The client has its 101: open until `closing` has an ending, then closing.
        case conversing
        /// Both connections are closed; or the client gets no 101, and the backend's has to be closed now.
        case closed
    }

    /// The endpoint that is being tried.
    public struct Attempt: Equatable, Sendable {
        /// Counted from 1.
        public let number: UInt8
        /// When the endpoint was chosen.
        public let chosenAt: MonotonicInstant

        /// An endpoint that was chosen at `chosenAt` as the `number`th.
        public init(number: UInt8, chosenAt: MonotonicInstant) {
            self.number = number
            self.chosenAt = chosenAt
        }
    }

    /// Where an admitted request leads.
    public enum Target: Equatable, Sendable {
        /// A built-in service: no connection to a backend.
        case service
        case backend
    }

    /// What happened while the session was being opened.
    public enum Input: Equatable, Sendable {
        /// The client's connection ended or failed.
        case clientLeft
        case endpointChosen(at: MonotonicInstant)
        /// No endpoint is left to choose.
        case noEndpoint
        /// The endpoint's name has no address.
        case noAddress(String)
        /// No connection to any of the endpoint's addresses could be made.
        ///
        /// - wasSilent: at least one did not answer at all.
        case notConnected(String, wasSilent: Bool, HandshakeClock)
        /// The gateway has no resources for a connection.
        case cannotConnect(String)
        /// The connection is established, including TLS.
        case connected(isWebSocket: Bool)
        /// The backend answered with a correct 101.
        case backendAccepted
        /// The backend answered with a refusal.
        case backendRefused
        /// The backend did not answer with a WebSocket handshake.
        ///
        /// - hasAnswered: at least one byte came.
        case backendFailed(String, hasAnswered: Bool)
        /// The time for the opening handshake is over.
        ///
        /// - isReadingRefusal: the backend refuses, and the body of its answer is not whole.
        case timeOver(isReadingRefusal: Bool, HandshakeClock)
        /// The gateway ends the session, for `cause`.
        case ordered(Cause)
        /// All sessions together hold too much memory, and this one makes no progress.
        case memoryNeeded
    }

    /// The time now, and how long an opening handshake may take.
    public struct HandshakeClock: Equatable, Sendable {
        /// When the input happened.
        public let now: MonotonicInstant
        /// When this handshake has to be complete.
        public let deadline: MonotonicInstant
        /// `timeouts.handshake`.
        public let allowed: Duration

        /// A handshake that may take `allowed` and has to be complete at `deadline`.
        public init(now: MonotonicInstant, deadline: MonotonicInstant, allowed: Duration) {
            self.now = now
            self.deadline = deadline
            self.allowed = allowed
        }
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        /// End both connections and send the client nothing; the reason is for the log.
        case end(String)
        /// Tell the client why there is no session.
        ///
        /// - blamesEndpoint: it counts as a failure of the endpoint.
        case refuse(OpeningFailure, blamesEndpoint: Bool)
        /// Pass the backend's own refusal on.
        case passRefusalOn
        /// Choose an endpoint that was not tried yet.
        ///
        /// - after: why the present one failed; `nil` if there is none.
        case chooseEndpoint(after: OpeningFailure?)
        case connect
        /// See which of the endpoint's addresses have run out of time.
        case checkAddresses
        /// Send the backend its request.
        case sendRequest
        /// Treat what has come of the backend's refusal as the whole.
        case endRefusal
        /// Send the client its 101, and begin.
        case begin(SessionKind)
    }

    /// How far the session has come.
    public private(set) var state: State
    /// Both legs' connections, and how the session ends.
    public private(set) var closing: ClosingHandshake

    /// A session for a request that was admitted.
    ///
    /// - Parameter codes: the close codes that the client understands.
    public init(_ codes: CloseCodes) { self.init(state: .choosing(EndpointsTried()), codes) }

    /// A session in the middle of its life.
    init(state: State, _ codes: CloseCodes = .registered) {
        self.state = state
        self.closing = ClosingHandshake(codes)
    }

    /// The word for the state in the log and in tables.
    public var phase: Phase {
        switch self.state {
        case .choosing(let tried): tried.phase
        case .connecting: .connect
        case .backendHandshake: .backendHandshake
        case .conversing: self.closing.isOpen ? self.closing.kind?.phase ?? .closing : .closing
        case .closed: .closed
        }
    }

    /// Whether the client has its 101, and nothing has ended the session yet.
    public var isOpen: Bool { self.closing.isOpen }

    // MARK: - Opening

    /// Begins to open the session.
    public mutating func start(to target: Target) -> Action {
        switch target {
        case .service: self.begin(.serve)
        case .backend: .chooseEndpoint(after: nil)
        }
    }

    /// Something happened while the session was being opened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        switch self.state {
        case .choosing(let tried): self.choosing(tried, input)
        case .connecting(let attempt): self.connecting(attempt, input)
        case .backendHandshake(let attempt): self.shakingHands(attempt, input)
        case .conversing, .closed: .nothing
        }
    }

    private mutating func choosing(_ tried: EndpointsTried, _ input: Input) -> Action {
        switch input {
        case .endpointChosen(let now):
            self.state = .connecting(Attempt(number: tried.next, chosenAt: now))
            return .connect
        case .noEndpoint: return self.refuse(tried.failure ?? .noEndpoint)
        default: return self.openingEnds(input)
        }
    }

    private mutating func connecting(_ attempt: Attempt, _ input: Input) -> Action {
        switch input {
        case .noAddress(let reason): return self.endpointFailed(.connectFailed(reason), attempt)
        case .notConnected(let reason, _, let clock) where clock.now >= clock.deadline:
            return self.timedOut(attempt, clock, reason)
        case .notConnected(let reason, let wasSilent, _):
            return self.endpointFailed(wasSilent ? .backendTimeout(reason) : .connectFailed(reason), attempt)
        case .cannotConnect(let reason): return self.refuse(.connectFailed(reason))
        case .connected(let isWebSocket):
            self.closing.connected()
            guard isWebSocket else { return self.begin(.bridge) }
            self.state = .backendHandshake(attempt)
            return .sendRequest
        // Which failure it is depends on how far the addresses have come.
        case .timeOver: return .checkAddresses
        default: return self.openingEnds(input)
        }
    }

    private mutating func shakingHands(_ attempt: Attempt, _ input: Input) -> Action {
        switch input {
        case .backendAccepted: return self.begin(.relay)
        case .backendRefused:
            self.state = .closed
            return .passRefusalOn
        // No byte was received: try the next endpoint. Otherwise it has seen the request: do not retry.
        case .backendFailed(let reason, hasAnswered: false): return self.endpointFailed(.badBackend(reason), attempt)
        case .backendFailed(let reason, hasAnswered: true):
            return self.refuse(.badBackend(reason), blamesEndpoint: true)
        // A refusal is a refusal even if its body does not end.
        case .timeOver(isReadingRefusal: true, _): return .endRefusal
        case .timeOver(isReadingRefusal: false, let clock): return self.timedOut(attempt, clock, nil)
        default: return self.openingEnds(input)
        }
    }

    /// The inputs that end the opening, in every state of the backend's leg.
    private mutating func openingEnds(_ input: Input) -> Action {
        switch input {
        case .clientLeft: return self.end("the client left during the opening handshake")
        case .ordered: return self.refuse(.draining)
        case .memoryNeeded: return self.refuse(.memory)
        default: return .nothing
        }
    }

    /// This endpoint failed. The client is not told while another can be tried.
    private mutating func endpointFailed(_ failure: OpeningFailure, _ attempt: Attempt) -> Action {
        let tried = EndpointsTried(count: attempt.number, failure: failure, phase: self.phase)
        guard tried.mayTryAnother else { return self.refuse(failure, blamesEndpoint: true) }
        self.state = .choosing(tried)
        self.closing.disconnected()
        return .chooseEndpoint(after: failure)
    }

    /// - Parameter reason: why connecting failed; `nil` if it succeeded.
    private mutating func timedOut(_ attempt: Attempt, _ clock: HandshakeClock, _ reason: String?) -> Action {
        let details = reason.map { " (\($0))" } ?? ""
        // An endpoint that was chosen late had little time because the client or an earlier endpoint was slow: do not blame it.
        return self.refuse(
            .backendTimeout("the opening handshake timed out\(details)"),
            blamesEndpoint: clock.now >= attempt.chosenAt + clock.allowed / 2)
    }

    private mutating func end(_ reason: String) -> Action {
        self.state = .closed
        return .end(reason)
    }

    private mutating func refuse(_ failure: OpeningFailure, blamesEndpoint: Bool = false) -> Action {
        self.state = .closed
        return .refuse(failure, blamesEndpoint: blamesEndpoint)
    }

    private mutating func begin(_ kind: SessionKind) -> Action {
        self.state = .conversing
        self.closing.begin(kind)
        return .begin(kind)
    }

    // MARK: - Closing

    /// A Close came from `leg`.
    public mutating func received(_ close: CloseFrame, from leg: Leg) -> ClosingHandshake.Actions {
        self.closing.received(close, from: leg)
    }

    /// `leg` broke a rule.
    ///
    /// - Parameter words: the reason that it is told.
    public mutating func violated(
        _ violation: Violation, by leg: Leg, _ places: ClosingHandshake.Places, _ words: String
    ) -> ClosingHandshake.Actions {
        self.closing.violated(violation, by: leg, places, words)
    }

    /// The gateway ends an open session. While a session is being opened, use `handle(.ordered)`.
    public mutating func close(_ ending: Ending, _ places: ClosingHandshake.Places) -> ClosingHandshake.Actions {
        self.closing.close(ending, places)
    }

    /// The frame that a Close to `leg` waited for is whole.
    public mutating func reachedBoundary(_ leg: Leg) -> ClosingHandshake.Actions {
        self.closing.reachedBoundary(leg)
    }

    /// Something happened to a leg's connection after the client got its 101.
    ///
    /// - Parameter detail: for the log, if this ends the session.
    public mutating func happened(
        _ event: ClosingHandshake.Event, _ places: ClosingHandshake.Places, detail: String? = nil
    ) -> ClosingHandshake.Actions {
        self.closing.happened(event, places, detail: detail)
    }

    /// The connection of `leg` is closed.
    ///
    /// - Returns: whether that ends the session.
    public mutating func closed(_ leg: Leg) -> Bool {
        self.closing.closed(leg)
        guard self.closing.isOver, self.state != .closed else { return false }
        self.state = .closed
        return true
    }
}
