/// One client connection from accept to closed, or until a session takes it over, decided without I/O: what happened goes in, what to do
/// comes out.
///
/// A request that may become a session is an exchange of its own: from there on `SessionMachine` decides, until it opens or wants an answer
/// sent. The shell (`ClientConnection`) owns the socket, says what happened and carries out the actions.
public struct ClientMachine: Sendable {
    /// How far the connection has come.
    public enum State: Equatable, Sendable {
        case tlsHandshake
        case requestHead
        /// A session is being opened.
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
        case tlsEstablished
        case tlsFailed(String)
        /// The client's side of the connection has ended, or the connection failed.
        case ended(ConnectionEnd)
        /// The time for the TLS handshake, for the request, or for the client's end is over.
        case timeOver
        /// There is a page or a refusal to send.
        case answered
        /// The request may become a session.
        case admitted
        /// The client gets its 101.
        case sessionOpened
        /// The session could not be opened, and the client is to be told nothing.
        case sessionEnded
        /// The gateway ends the connection, for `cause`.
        case ordered(Cause)
        /// All sessions together hold too much memory, and this connection makes no progress.
        case memoryNeeded
        /// A newer connection needs the descriptor.
        case roomNeeded

        // While an answer is on its way:

        /// The client has acknowledged everything.
        case delivered
        /// The client accepts none of the bytes that are queued for it.
        case stalled
        /// The gateway does not wait for the client: queued bytes are discarded.
        case dismissed
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
        case readRequest
        /// Close the connection and send the client nothing; the reason is for the log.
        case end(String)
        /// Close this connection, because a newer one needs its descriptor.
        case makeRoom
        /// Tell the client why its request is not waited for.
        case refuse(Refused)
        /// Send the client its page or its refusal.
        case answer
        /// Begin to open a session.
        case beginExchange
        /// Give the connection to the session.
        case handOver
        /// Close the connection in order.
        case close
        /// Abort the connection.
        case abort
    }

    /// How far the connection has come.
    public private(set) var state: State

    /// - Parameter hasTLS: the connection begins with a TLS handshake.
    public init(hasTLS: Bool) { self.init(state: hasTLS ? .tlsHandshake : .requestHead) }

    /// A connection in the middle of its life.
    init(state: State) { self.state = state }

    /// The word for the state in the log and in tables. While a session is being opened, it has a word of its own.
    public var phase: Phase {
        switch self.state {
        case .tlsHandshake: .tlsHandshake
        case .requestHead, .exchange: .requestHead
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
        case (.tlsHandshake, .tlsEstablished): return self.move(to: .requestHead, .readRequest)
        case (.tlsHandshake, .tlsFailed(let reason)): return self.end("TLS: \(reason)")
        case (.tlsHandshake, .ended): return self.end("the client left during its TLS handshake")
        case (.tlsHandshake, .timeOver): return self.end("the client took too long for its TLS handshake")
        case (.tlsHandshake, .ordered(let cause)): return self.end(cause.rawValue)
        case (.tlsHandshake, .memoryNeeded): return self.end("the gateway is short of memory")

        case (.requestHead, .ended): return self.end("the client left before its request was whole")
        case (.requestHead, .timeOver): return self.refuse(.headTimeout)
        case (.requestHead, .ordered): return self.refuse(.draining)
        case (.requestHead, .memoryNeeded): return self.refuse(.memory)
        case (.requestHead, .admitted): return self.move(to: .exchange, .beginExchange)
        case (.requestHead, .answered), (.exchange, .answered):
            return self.move(to: .answering(hasEnded: false), .answer)

        case (.exchange, .sessionOpened): return self.move(to: .over, .handOver)
        case (.exchange, .sessionEnded): return self.move(to: .over, .close)

        // After an orderly end the client may still accept queued bytes.
        case (.answering, .ended(.inOrder)): return self.move(to: .answering(hasEnded: true), .nothing)
        // Closing for want of room has no log line: the answer has its own.
        case (.answering, .ended), (.answering, .timeOver), (.answering(hasEnded: true), .delivered),
            (.answering, .roomNeeded):
            return self.move(to: .over, .close)
        case (.answering, .stalled), (.answering, .dismissed): return self.move(to: .over, .abort)

        case (.tlsHandshake, .roomNeeded), (.requestHead, .roomNeeded):
            return self.move(to: .over, .makeRoom)
        case (.tlsHandshake, _), (.requestHead, _), (.exchange, _), (.answering, _), (.over, _): return .nothing
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
