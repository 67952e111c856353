public import Sessions

/// When to close sessions of one worker.
public struct DrainOrder: Sendable {
    /// What the closed sessions have as their cause.
    public let cause: Cause
    /// For each session the time from now, ascending. More sessions than times are closed at `end`.
    public let times: [Duration]
    /// The time from now at which the last of all workers' sessions has had its turn.
    public let end: Duration
    /// What happens to sessions that are still being opened.
    public let opening: Opening

    /// An order to one worker; see the properties.
    public init(cause: Cause, times: [Duration], end: Duration, opening: Opening) {
        self.cause = cause
        self.times = times
        self.end = end
        self.opening = opening
    }

    /// What happens to sessions that are still being opened.
    public enum Opening: Sendable {
        /// They are refused with 503: no process will serve them.
        case refused
        /// They are opened first, then closed.
        case finished
    }
}
