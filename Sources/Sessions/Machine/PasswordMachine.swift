/// A request that waits until it is known whether its password is right, decided without I/O: what happened goes in, what to do comes out.
public struct PasswordMachine: Sendable {
    /// How far it has come.
    public enum State: Equatable, Sendable {
        /// Its address has sent many wrong ones: it waits before its password is hashed.
        case pausing
        case hashing
        case over
    }

    /// What happened.
    public enum Input: Equatable, Sendable {
        /// The pause is over.
        case pauseOver
        /// The password was hashed.
        case judged(isRight: Bool)
        /// There is no thread or no place for it.
        case crowded
        /// It has taken as long as an opening handshake may.
        case timeOver
        case clientLeft
        /// The gateway ends the exchange.
        case ordered
        /// All sessions together hold too much memory.
        case memoryNeeded
    }

    /// Why the client gets another answer.
    public enum Refused: Equatable, Sendable {
        /// 429
        case crowded
        /// 503
        case tooLate
        case draining
        case memory
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        case hash
        /// Go on with the request.
        case decide(isRight: Bool)
        case refuse(Refused)
        /// Close the connection without a word.
        case end
    }

    /// How far it has come.
    public private(set) var state: State

    /// - Parameter pauses: its address has sent many wrong passwords.
    public init(pauses: Bool) { self.init(state: pauses ? .pausing : .hashing) }

    /// A request in the middle of its wait.
    init(state: State) { self.state = state }

    /// Something happened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        switch (self.state, input) {
        case (.over, _), (.hashing, .pauseOver), (.pausing, .judged), (.pausing, .crowded): return .nothing
        case (.pausing, .pauseOver):
            self.state = .hashing
            return .hash
        case (.hashing, .judged(let isRight)): return self.end(.decide(isRight: isRight))
        case (.hashing, .crowded): return self.end(.refuse(.crowded))
        case (_, .timeOver): return self.end(.refuse(.tooLate))
        case (_, .clientLeft): return self.end(.end)
        case (_, .ordered): return self.end(.refuse(.draining))
        case (_, .memoryNeeded): return self.end(.refuse(.memory))
        }
    }

    private mutating func end(_ action: Action) -> Action {
        self.state = .over
        return action
    }
}
