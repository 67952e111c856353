/// The answer to a drain.
public enum DrainOutcome: Sendable, Equatable {
    /// - Parameter sessions: the number of sessions that will be closed.
    case draining(sessions: Int)
    /// An endpoint that was draining gets sessions again.
    case undrained
    /// There is nothing to drain.
    ///
    /// - Parameter reason: one line for people, such as "there is no backend chat".
    case unknown(String)
}
