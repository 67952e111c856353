/// A request that waits until its route's auth service has said what it is worth, decided without I/O: what happened goes in, what to do comes
/// out.
public struct ForwardMachine: Sendable {
    /// How far it has come.
    public enum State: Equatable, Sendable {
        case asking
        case over
    }

    /// What happened.
    public enum Input: Equatable, Sendable {
        /// The service lets the request in, or does not.
        case judged(letsIn: Bool)
        /// The service has said neither, or not in time.
        case unreachable
        case clientLeft
        /// The gateway ends the exchange.
        case ordered
        /// All sessions together hold too much memory.
        case memoryNeeded
    }

    /// Why the client gets another answer.
    public enum Refused: Equatable, Sendable {
        /// The service's own answer.
        case service
        /// 503
        case unreachable
        case draining
        case memory
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case nothing
        /// Go on with the request.
        case letIn
        case refuse(Refused)
        /// Close the connection without a word.
        case end
    }

    /// How far it has come.
    public private(set) var state = State.asking

    /// A request about which the service is about to be asked.
    public init() {}

    /// Something happened. An input that does not fit the state changes nothing.
    public mutating func handle(_ input: Input) -> Action {
        guard self.state == .asking else { return .nothing }
        self.state = .over
        return switch input {
        case .judged(letsIn: true): .letIn
        case .judged(letsIn: false): .refuse(.service)
        case .unreachable: .refuse(.unreachable)
        case .clientLeft: .end
        case .ordered: .refuse(.draining)
        case .memoryNeeded: .refuse(.memory)
        }
    }
}
