/// The answer to an order to close sessions.
public enum CloseOutcome: Equatable, Sendable {
    /// So many there are; they are closing, or would.
    case matched(Int)
    /// None is closed, because no more subjects can be kept out.
    case crowded
    /// There is nothing of a name in the filter.
    ///
    /// - Parameter what: one line for people, such as "there is no route chat; there are: app, echo".
    case unknown(String)
}
