package import Sessions

/// When sessions of one worker are to be closed.
package struct DrainOrder: Sendable {
    package let cause: Cause
    /// For each session, the time from now, ascending. Sessions that the control thread did not know of go with the last.
    package let times: [Duration]
    /// What becomes of sessions that are still being opened.
    package let opening: Opening

    package init(cause: Cause, times: [Duration], opening: Opening) {
        self.cause = cause
        self.times = times
        self.opening = opening
    }

    package enum Opening: Sendable {
        /// They are refused with 503: no process will serve them.
        case refused
        /// They are opened, and closed after that.
        case finished
    }
}
