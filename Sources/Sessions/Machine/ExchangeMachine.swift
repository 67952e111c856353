public import HTTP1

/// One plain request that is passed to a backend, and its answer, decided without I/O: what happened goes in, what to do comes out.
///
/// The shell owns both connections, passes the bodies on, says what happened and carries out the actions. The client's connection may
/// have other exchanges before and after this one.
public struct ExchangeMachine: Sendable {
    /// How far the exchange has come.
    public enum State: Equatable, Sendable {
        /// The next endpoint has to be chosen.
        case choosing(EndpointsTried)
        /// A kept connection to the endpoint is taken, or a new one set up.
        ///
        /// - number: of the endpoint, from 1.
        case connecting(number: UInt8)
        /// The request is being sent; the head of the answer is awaited.
        ///
        /// - isReused: its connection had other requests before.
        case awaitingAnswer(number: UInt8, isReused: Bool)
        /// The head of the answer went to the client.
        ///
        /// - keepsClient: as the client was told.
        case answering(keepsClient: Bool, keepsBackend: Bool)
        /// It is answered, or both connections have to be ended now.
        case over
    }

    /// How much of the request's body has come.
    public enum RequestBody: Equatable, Sendable {
        /// None: the client may wait to be told that it is wanted.
        case held
        case passing
        /// All of it, and the backend's connection has it; or there is none.
        case whole
    }

    /// What happened.
    public enum Input: Equatable, Sendable {
        case endpointChosen
        /// No endpoint is left to choose.
        case noEndpoint
        /// The endpoint's name has no address.
        case noAddress(String)
        /// No connection to any of the endpoint's addresses could be made.
        ///
        /// - wasSilent: at least one did not answer at all.
        case notConnected(String, wasSilent: Bool)
        /// The gateway has no resources for a connection.
        case cannotConnect(String)
        /// The connection is established, including TLS.
        ///
        /// - isReused: it was kept from an earlier request.
        case connected(isReused: Bool)

        /// The client was told to send its body, or has begun to.
        case requestBodyDue
        /// The last byte of the request was passed on.
        case requestWhole
        case requestInvalid(MessageBody.Failure)
        /// The body has grown over `limits.body`.
        case requestTooLarge
        /// Nothing of the body came for `timeouts.request-body`.
        case requestStalled
        /// The backend took no byte of the request for `timeouts.request-body`.
        case requestNotTaken

        /// The head of the final answer came.
        ///
        /// - keepsClient: the client, the answer's framing and the gateway want the client's connection to go on.
        /// - keepsBackend: the backend wants its connection to go on.
        case answerHead(keepsClient: Bool, keepsBackend: Bool)
        /// The answer, its head or its body, cannot be read.
        case answerInvalid(String)
        /// `timeouts.response` is over, and there is no head of an answer.
        case answerTimeOver
        /// The last byte of the answer was passed on.
        ///
        /// - hasMore: the backend sent bytes after it.
        case answerWhole(hasMore: Bool)
        /// The client took no byte of the answer for `timeouts.request-body`.
        case answerNotTaken

        /// The backend's connection ended or failed, and that did not end the answer.
        ///
        /// - hasAnswered: at least one byte came.
        case backendEnded(String, hasAnswered: Bool)
        /// The client's connection ended or failed.
        case clientLeft
        /// The gateway ends the exchange, for `cause`.
        case ordered(Cause)
        /// All sessions together hold too much memory, and this exchange makes no progress.
        case memoryNeeded
    }

    /// Why the client gets an answer of ours.
    public enum Refused: Equatable, Sendable {
        case backend(OpeningFailure)
        /// 400.
        case badBody(MessageBody.Failure)
        /// 413.
        case bodyTooLarge
        /// 408.
        case bodyTimeout
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        /// Choose an endpoint that was not tried yet.
        ///
        /// - after: why the present one failed; `nil` if there is none.
        case chooseEndpoint(after: OpeningFailure?)
        /// Take the kept connection to the endpoint, if `mayReuse` allows it, else set a new one up.
        case connect
        /// Set a new connection to the same endpoint up: the kept one had ended.
        case connectAnew
        /// Send the backend the request's head, and begin to pass the body on.
        case sendRequest
        /// Send the client the head of the answer, and begin to pass the body on.
        case passAnswer(keepsClient: Bool)
        /// Abort the backend's connection, if there is one, and tell the client why it gets no other answer.
        ///
        /// - blamesEndpoint: it counts as a failure of the endpoint.
        case refuse(Refused, blamesEndpoint: Bool)
        /// Abort the backend's connection, and end the client's without what would end the answer; the reason is for the log.
        case abort(String)
        /// The exchange is complete.
        case end(keepsClient: Bool, keepsBackend: Bool)
    }

    /// What the exchange waits for; each has a time of its own.
    public enum Awaited: Equatable, Sendable {
        case nothing
        /// `timeouts.connect`.
        case connection
        /// `timeouts.request-body`, anew with each piece.
        case requestBody
        /// `timeouts.response`.
        case answerHead
        /// No time: an answer may pause.
        case answerBody
    }

    /// How far the exchange has come.
    public private(set) var state: State
    /// How much of the request's body has come.
    public private(set) var requestBody: RequestBody
    private let isRepeatable: Bool

    /// An exchange for a request that was admitted.
    ///
    /// - Parameter isRepeatable: the request may be sent twice (`PlainRequest.isRepeatable`).
    public init(requestBody: RequestBody, isRepeatable: Bool) {
        self.init(state: .choosing(EndpointsTried()), requestBody: requestBody, isRepeatable: isRepeatable)
    }

    /// An exchange for an upgrade that the backend refuses: the request was sent, and the answer has begun.
    public static var ofRefusedUpgrade: ExchangeMachine {
        ExchangeMachine(state: .awaitingAnswer(number: 1, isReused: false), isRepeatable: false)
    }

    /// An exchange in the middle of its life.
    init(state: State, requestBody: RequestBody = .whole, isRepeatable: Bool = true) {
        self.state = state
        self.requestBody = requestBody
        self.isRepeatable = isRepeatable
    }

    /// What the exchange waits for.
    public var awaits: Awaited {
        switch (self.state, self.requestBody) {
        case (.choosing, _), (.connecting, _): .connection
        case (.awaitingAnswer, .passing), (.answering, .passing): .requestBody
        case (.awaitingAnswer, _): .answerHead
        case (.answering, _): .answerBody
        case (.over, _): .nothing
        }
    }

    /// Whether a connection that was kept so long after its last answer may take a request. Servers close theirs after some seconds
    /// (Node after 5), and a request that meets that end fails, unless it can be sent again.
    public static func mayReuse(keptFor time: Duration, isRepeatable: Bool) -> Bool {
        time <= (isRepeatable ? self.longestKept : .seconds(1))
    }

    /// A connection that was kept longer takes no request.
    public static var longestKept: Duration { .seconds(4) }

    // MARK: - What happens

    /// Begins the exchange.
    public func start() -> Action { .chooseEndpoint(after: nil) }

    /// Something happened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        switch self.state {
        case .choosing(let tried): self.choosing(tried, input)
        case .connecting(let number): self.connecting(number, input)
        case .awaitingAnswer(let number, let isReused): self.awaitingAnswer(number, isReused: isReused, input)
        case .answering(let keepsClient, let keepsBackend):
            self.answering(keepsClient: keepsClient, keepsBackend: keepsBackend, input)
        case .over: .nothing
        }
    }

    private mutating func choosing(_ tried: EndpointsTried, _ input: Input) -> Action {
        switch input {
        case .endpointChosen: return self.move(to: .connecting(number: tried.next), .connect)
        case .noEndpoint: return self.refuse(.backend(tried.failure ?? .noEndpoint))
        default: return self.beforeAnswer(input)
        }
    }

    private mutating func connecting(_ number: UInt8, _ input: Input) -> Action {
        switch input {
        case .noAddress(let reason): return self.endpointFailed(.connectFailed(reason), number)
        case .notConnected(let reason, let wasSilent):
            return self.endpointFailed(wasSilent ? .backendTimeout(reason) : .connectFailed(reason), number)
        case .cannotConnect(let reason): return self.refuse(.backend(.connectFailed(reason)))
        case .connected(let isReused):
            return self.move(to: .awaitingAnswer(number: number, isReused: isReused), .sendRequest)
        default: return self.beforeAnswer(input)
        }
    }

    private mutating func awaitingAnswer(_ number: UInt8, isReused: Bool, _ input: Input) -> Action {
        switch input {
        case .answerHead(let keepsClient, let keepsBackend):
            // What is still to come of the request would be in the way of the next one.
            let isWhole = self.requestBody == .whole
            return self.move(
                to: .answering(keepsClient: keepsClient && isWhole, keepsBackend: keepsBackend && isWhole),
                .passAnswer(keepsClient: keepsClient && isWhole))
        case .answerInvalid(let reason): return self.refuse(.backend(.badBackend(reason)), blamesEndpoint: true)
        case .answerTimeOver: return self.refuse(.backend(.backendTimeout("no answer came")), blamesEndpoint: true)
        case .requestNotTaken:
            return self.refuse(.backend(.backendTimeout("it took nothing of the request")), blamesEndpoint: true)
        // It had ended when we sent the request. The same answer from a new connection is no failure of the endpoint.
        case .backendEnded(_, hasAnswered: false) where isReused && self.isRepeatable:
            return self.move(to: .connecting(number: number), .connectAnew)
        // The backend may have seen the request: do not send it twice.
        case .backendEnded(let reason, let hasAnswered):
            return self.refuse(.backend(.badBackend(reason)), blamesEndpoint: hasAnswered || !isReused)
        default: return self.beforeAnswer(input)
        }
    }

    private mutating func answering(keepsClient: Bool, keepsBackend: Bool, _ input: Input) -> Action {
        switch input {
        case .answerWhole(let hasMore):
            return self.move(to: .over, .end(keepsClient: keepsClient, keepsBackend: keepsBackend && !hasMore))
        case .answerInvalid(let reason): return self.abort("the backend's answer is broken: \(reason)")
        case .backendEnded(let reason, _): return self.abort("the backend broke its answer off: \(reason)")
        case .requestNotTaken: return self.abort("the backend took nothing of the request")
        case .requestInvalid(let failure): return self.abort("the client's request is broken: \(failure)")
        case .requestTooLarge: return self.abort("the body of the request is too large")
        case .requestStalled: return self.abort("the client sent nothing of its request")
        case .ordered(let cause): return self.abort(cause.rawValue)
        case .memoryNeeded: return self.abort("the gateway is short of memory")
        default: return self.always(input)
        }
    }

    /// The inputs that lead to an answer of ours, in every state before the backend's.
    private mutating func beforeAnswer(_ input: Input) -> Action {
        switch input {
        case .requestInvalid(let failure): self.refuse(.badBody(failure))
        case .requestTooLarge: self.refuse(.bodyTooLarge)
        case .requestStalled: self.refuse(.bodyTimeout)
        case .ordered: self.refuse(.backend(.draining))
        case .memoryNeeded: self.refuse(.backend(.memory))
        default: self.always(input)
        }
    }

    /// The inputs that mean the same in every state.
    private mutating func always(_ input: Input) -> Action {
        switch input {
        case .requestBodyDue where self.requestBody == .held: self.requestBody = .passing
        case .requestWhole: self.requestBody = .whole
        case .clientLeft: return self.abort("the client left")
        case .answerNotTaken: return self.abort("the client took nothing of the answer")
        default: break
        }
        return .nothing
    }

    /// This endpoint failed, and no byte of the request was sent to it. The client is not told while another can be tried.
    private mutating func endpointFailed(_ failure: OpeningFailure, _ number: UInt8) -> Action {
        let tried = EndpointsTried(count: number, failure: failure, phase: .connect)
        guard tried.mayTryAnother else { return self.refuse(.backend(failure), blamesEndpoint: true) }
        return self.move(to: .choosing(tried), .chooseEndpoint(after: failure))
    }

    private mutating func move(to state: State, _ action: Action) -> Action {
        self.state = state
        return action
    }

    private mutating func abort(_ reason: String) -> Action { self.move(to: .over, .abort(reason)) }

    private mutating func refuse(_ why: Refused, blamesEndpoint: Bool = false) -> Action {
        self.move(to: .over, .refuse(why, blamesEndpoint: blamesEndpoint))
    }
}
