internal import System

/// How long to wait before the next attempt to connect. A link that was up for as long as the longest pause begins anew with the shortest.
struct ReconnectPace {
    private let times: LinkTimes
    private var pause: Duration

    init(_ times: LinkTimes) {
        self.times = times
        self.pause = times.shortestPause
    }

    /// - Parameter upSince: since when the link was up; `nil`: it was not.
    mutating func next(upSince: MonotonicInstant?, at now: MonotonicInstant) -> MonotonicInstant {
        if let upSince, now - upSince >= self.times.longestPause { self.pause = self.times.shortestPause }
        defer { self.pause = min(self.pause * 2, self.times.longestPause) }
        return now + self.pause
    }
}
