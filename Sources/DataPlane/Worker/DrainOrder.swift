public import Sessions

/// When sessions of one worker are to be closed.
public struct DrainOrder: Sendable {
    public let cause: Cause
    /// For each session, the time from now, ascending. Sessions that the control thread did not know of go with the last.
    public let times: [Duration]
    /// What becomes of sessions that are still being opened.
    public let opening: Opening

    public init(cause: Cause, times: [Duration], opening: Opening) {
        self.cause = cause
        self.times = times
        self.opening = opening
    }

    public enum Opening: Sendable {
        /// They are refused with 503: no process will serve them.
        case refused
        /// They are opened, and closed after that.
        case finished
    }
}
