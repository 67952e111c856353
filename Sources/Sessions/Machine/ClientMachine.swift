/// One client connection from accept to closed, or until a session takes it over, decided without I/O: what happened goes in, what to do
/// comes out.
///
/// It carries one exchange after another (RFC 9112 section 9.3), the last of which may become a session. An exchange decides for itself
/// (`SessionMachine`, `ExchangeMachine`), until it ends or wants an answer sent. The shell (`ClientConnection`) owns the socket, says what
/// happened and carries out the actions.
public struct ClientMachine: Sendable {
    /// How far the connection has come.
    public enum State: Equatable, Sendable {
        /// The header of a proxy in front is awaited, which says where the client is.
        case proxyHeader
        case tlsHandshake
        case requestHead
        /// A request was answered, and nothing of the next one has come.
        case idle
        /// A session is being opened, or a request is passed on.
        case exchange
        /// A refusal or a page is on its way; then we only wait for the client's end.
        ///
        /// - hasEnded: the client has ended its side.
        case answering(hasEnded: Bool)
        /// The connection is closed, or has to be closed now, or an open session has it.
        case over
    }

    /// What happened.
    public enum Input: Equatable, Sendable {
        /// The PROXY header is whole.
        ///
        /// - hasTLS: a TLS handshake follows.
        case proxyHeaderRead(hasTLS: Bool)
        /// There is no PROXY header, or its client may not come in. That is logged.
        case turnedAway
        case tlsEstablished
        case tlsFailed(String)
        /// The client's side of the connection has ended, or the connection failed.
        case ended(ConnectionEnd)
        /// The time for the PROXY header, for the TLS handshake, for the request, or for the client's end is over.
        case timeOver
        /// The first byte of another request came.
        case requestBegan
        /// There is a page or a refusal to send.
        ///
        /// - isLast: the connection ends after it.
        case answered(isLast: Bool)
        /// The request leads to an exchange.
        case admitted
        /// The exchange was to find out what the request's credential is worth, and has. The request is as if it had just come.
        case credentialJudged
        /// The client gets its 101.
        case sessionOpened
        /// The exchange is over.
        case exchangeEnded(ExchangeEnd)
        /// The gateway ends the connection, for `cause`.
        case ordered(Cause)
        /// The gateway ends the connection, between two requests, while the client still takes its last answer.
        case orderedBehindAnswer
        /// All sessions together hold too much memory, and this connection makes no progress.
        case memoryNeeded
        /// A newer connection needs the descriptor.
        case roomNeeded

        // While an answer is on its way, or its last bytes are, between two requests:

        /// The client has acknowledged everything.
        case delivered
        /// The client accepts none of the bytes that are queued for it.
        case stalled
        /// The gateway does not wait for the client: queued bytes are discarded.
        case dismissed
    }

    /// What an exchange leaves behind.
    public enum ExchangeEnd: Equatable, Sendable {
        /// The answer is complete, and another request may come.
        case kept
        /// The answer is complete, and it was the last.
        case last
        /// The client has left, or is told nothing.
        case silent
        /// The answer is not complete, and must not look as if it were.
        case incomplete
    }

    /// Why a client is refused that has sent no whole request.
    public enum Refused: Equatable, Sendable {
        /// The request was not whole in time.
        case headTimeout
        case draining
        case memory
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        case shakeHands
        case readRequest
        /// Close the connection and send the client nothing; the reason is for the log.
        case end(String)
        /// Close the connection, and say nothing of it.
        case turnAway
        /// Close this connection, because a newer one needs its descriptor.
        case makeRoom
        /// Tell the client why its request is not waited for.
        case refuse(Refused)
        /// Send the client its page or its refusal.
        case answer
        /// Wait for the next request.
        case awaitRequest
        /// The next request has begun: it has the time of a handshake.
        case limitRequest
        /// Begin the exchange.
        case beginExchange
        /// Give the connection to the session.
        case handOver
        /// End our side, and wait for the client's end.
        case endAfterAnswer
        /// Close the connection in order.
        case close
        /// Abort the connection.
        case abort
    }

    /// How far the connection has come.
    public private(set) var state: State

    /// - Parameters:
    ///   - hasProxyHeader: the connection begins with a PROXY header.
    ///   - hasTLS: then comes a TLS handshake.
    public init(hasProxyHeader: Bool = false, hasTLS: Bool) {
        self.init(state: hasProxyHeader ? .proxyHeader : hasTLS ? .tlsHandshake : .requestHead)
    }

    /// A connection in the middle of its life.
    init(state: State) { self.state = state }

    /// The word for the state in the log and in tables. While a session is being opened, it has a word of its own.
    public var phase: Phase {
        switch self.state {
        case .proxyHeader: .proxyHeader
        case .tlsHandshake: .tlsHandshake
        case .requestHead, .idle, .exchange: .requestHead
        case .answering: .closing
        case .over: .closed
        }
    }

    /// Whether an answer is on its way.
    public var isAnswering: Bool {
        if case .answering = self.state { true } else { false }
    }

    /// Whether the client has ended its side while an answer is on its way.
    public var hasEnded: Bool { self.state == .answering(hasEnded: true) }

    /// Something happened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        switch (self.state, input) {
        case (.proxyHeader, .proxyHeaderRead(hasTLS: true)): return self.move(to: .tlsHandshake, .shakeHands)
        case (.proxyHeader, .proxyHeaderRead(hasTLS: false)): return self.move(to: .requestHead, .readRequest)
        case (.proxyHeader, .turnedAway): return self.move(to: .over, .turnAway)
        case (.proxyHeader, .ended): return self.end("the proxy left before its PROXY header was whole")
        case (.proxyHeader, .timeOver): return self.end("the proxy took too long for its PROXY header")

        case (.tlsHandshake, .tlsEstablished): return self.move(to: .requestHead, .readRequest)
        case (.tlsHandshake, .tlsFailed(let reason)): return self.end("TLS: \(reason)")
        case (.tlsHandshake, .ended): return self.end("the client left during its TLS handshake")
        case (.tlsHandshake, .timeOver): return self.end("the client took too long for its TLS handshake")
        case (.proxyHeader, .ordered(let cause)), (.tlsHandshake, .ordered(let cause)): return self.end(cause.rawValue)
        case (.proxyHeader, .memoryNeeded), (.tlsHandshake, .memoryNeeded):
            return self.end("the gateway is short of memory")

        case (.requestHead, .ended): return self.end("the client left before its request was whole")
        case (.requestHead, .timeOver): return self.refuse(.headTimeout)
        case (.requestHead, .ordered): return self.refuse(.draining)
        case (.requestHead, .memoryNeeded): return self.refuse(.memory)
        case (.requestHead, .admitted): return self.move(to: .exchange, .beginExchange)
        case (.requestHead, .answered(isLast: false)): return self.move(to: .idle, .answer)
        case (.requestHead, .answered(isLast: true)), (.exchange, .answered(isLast: true)):
            return self.move(to: .answering(hasEnded: false), .answer)

        // Between requests there is nothing to lose: a server may end the connection at any time (RFC 9112 section 9.5).
        case (.idle, .requestBegan): return self.move(to: .requestHead, .limitRequest)
        case (.idle, .ended), (.idle, .timeOver), (.idle, .ordered), (.idle, .memoryNeeded), (.idle, .roomNeeded):
            return self.move(to: .over, .close)
        case (.idle, .orderedBehindAnswer): return self.move(to: .answering(hasEnded: false), .endAfterAnswer)
        case (.idle, .stalled): return self.move(to: .over, .abort)

        case (.exchange, .credentialJudged): return self.move(to: .requestHead, .nothing)
        case (.exchange, .sessionOpened): return self.move(to: .over, .handOver)
        case (.exchange, .exchangeEnded(.kept)): return self.move(to: .idle, .awaitRequest)
        case (.exchange, .exchangeEnded(.last)): return self.move(to: .answering(hasEnded: false), .endAfterAnswer)
        case (.exchange, .exchangeEnded(.silent)): return self.move(to: .over, .close)
        case (.exchange, .exchangeEnded(.incomplete)): return self.move(to: .over, .abort)

        // After an orderly end the client may still accept queued bytes.
        case (.answering, .ended(.inOrder)): return self.move(to: .answering(hasEnded: true), .nothing)
        // Closing for want of room has no log line: the answer has its own.
        case (.answering, .ended), (.answering, .timeOver), (.answering(hasEnded: true), .delivered),
            (.answering, .roomNeeded):
            return self.move(to: .over, .close)
        case (.answering, .stalled), (.answering, .dismissed): return self.move(to: .over, .abort)

        case (.proxyHeader, .roomNeeded), (.tlsHandshake, .roomNeeded), (.requestHead, .roomNeeded):
            return self.move(to: .over, .makeRoom)
        case (.proxyHeader, _), (.tlsHandshake, _), (.requestHead, _), (.idle, _), (.exchange, _), (.answering, _),
            (.over, _):
            return .nothing
        }
    }

    private mutating func move(to state: State, _ action: Action) -> Action {
        self.state = state
        return action
    }

    private mutating func end(_ reason: String) -> Action { self.move(to: .over, .end(reason)) }

    private mutating func refuse(_ why: Refused) -> Action {
        self.move(to: .answering(hasEnded: false), .refuse(why))
    }
}
