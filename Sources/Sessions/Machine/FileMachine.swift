/// One file on its way to a client, decided without I/O: what happened goes in, what to do comes out.
///
/// Another thread opens and reads the file, piece by piece. The next piece is read when the client's socket has accepted the last one, so
/// that one piece at most is held.
public struct FileMachine: Sendable {
    /// How far the answer has come.
    public enum State: Equatable, Sendable {
        /// The file is being looked for; nothing was sent.
        case opening
        /// The next piece is being read.
        ///
        /// - left: how many bytes were not sent yet, at least one.
        case reading(left: Int)
        /// The client's socket has not accepted all of what was sent.
        case delivering(left: Int)
        /// It is answered, or the connection has to be ended now.
        case over
    }

    /// What happened.
    public enum Input: Equatable, Sendable {
        /// The head and the first piece were sent.
        ///
        /// - left: how many bytes of the body are still to be read.
        /// - isTaken: the client's socket has accepted all.
        case opened(left: Int, isTaken: Bool)
        /// The file could not be looked for, or not be opened.
        case notOpened(Refused)
        /// So many bytes more were sent.
        case sent(Int, isTaken: Bool)
        /// The file could not be read on, or has become shorter; the reason is for the log.
        case notRead(String)
        /// The client's socket has accepted all.
        case taken
        /// The client accepted no byte for `timeouts.request-body`.
        case notTaken
        /// The thread did not answer within `timeouts.response`.
        case timeOver
        case clientLeft
        /// The gateway ends the exchange, for `cause`.
        case ordered(Cause)
        /// All sessions together hold too much memory, and this exchange makes no progress.
        case memoryNeeded
    }

    /// Why the client gets another answer.
    public enum Refused: Equatable, Sendable {
        /// 500; the reason is for the log.
        case failed(String)
        /// 503: the gateway lacks a thread or a descriptor.
        case shortage(String)
        /// 504.
        case timeout
        case draining
        case memory
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        /// Have the next piece read.
        case read
        /// The answer is complete.
        case end
        /// End the client's connection, so that the answer does not look complete; the reason is for the log.
        case abort(String)
        case refuse(Refused)
    }

    /// How far the answer has come.
    public private(set) var state: State

    /// A request that was admitted: its file is being looked for.
    public init() { self.init(state: .opening) }

    /// An answer in the middle of its life.
    init(state: State) { self.state = state }

    /// Something happened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        switch (self.state, input) {
        case (.opening, .opened(let left, let isTaken)): return self.sent(left: left, isTaken: isTaken)
        case (.opening, .notOpened(let why)): return self.refuse(why)
        case (.opening, .timeOver): return self.refuse(.timeout)
        case (.opening, .ordered): return self.refuse(.draining)
        case (.opening, .memoryNeeded): return self.refuse(.memory)

        case (.reading(let left), .sent(let count, let isTaken)): return self.sent(left: left - count, isTaken: isTaken)
        case (.reading, .notRead(let reason)): return self.abort(reason)
        case (.reading, .timeOver): return self.abort("the file was not read in time")

        case (.delivering(let left), .taken): return self.sent(left: left, isTaken: true)
        case (.delivering, .notTaken): return self.abort("the client took nothing of the answer")

        case (.reading, .ordered(let cause)), (.delivering, .ordered(let cause)): return self.abort(cause.rawValue)
        case (.reading, .memoryNeeded), (.delivering, .memoryNeeded):
            return self.abort("the gateway is short of memory")
        case (.opening, .clientLeft), (.reading, .clientLeft), (.delivering, .clientLeft):
            return self.abort("the client left")
        case (.opening, _), (.reading, _), (.delivering, _), (.over, _): return .nothing
        }
    }

    private mutating func sent(left: Int, isTaken: Bool) -> Action {
        guard isTaken else { return self.move(to: .delivering(left: left), .nothing) }
        return left > 0 ? self.move(to: .reading(left: left), .read) : self.move(to: .over, .end)
    }

    private mutating func move(to state: State, _ action: Action) -> Action {
        self.state = state
        return action
    }

    private mutating func abort(_ reason: String) -> Action { self.move(to: .over, .abort(reason)) }

    private mutating func refuse(_ why: Refused) -> Action { self.move(to: .over, .refuse(why)) }
}
