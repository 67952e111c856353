/// What came of a drain.
public enum DrainOutcome: Sendable, Equatable {
    /// - Parameter sessions: how many sessions will be closed.
    case draining(sessions: Int)
    /// An endpoint that was draining gets sessions again.
    case undrained
    case unknown(String)
}
