internal import System

/// When to look one host name up, or to fetch the keys of one URL. The clock is passed in.
struct RefreshSchedule: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        case idle(due: MonotonicInstant)
        /// One is in progress. The next one is due at `again`; `never`: when the refresh or the retry is.
        case asking(again: MonotonicInstant)
    }

    /// The pause after a failure. It doubles with each further one, up to `longestRetry`.
    static let firstRetry = Duration.seconds(1)
    static let longestRetry = Duration.seconds(30)
    /// The pause after a success.
    var refresh: Duration
    /// The shortest time between two that are caused by doubts.
    private let pace: Duration
    private var state: State
    private var askedAt: MonotonicInstant?
    /// The number that failed in a row.
    private var failures = 0
    /// Whether the last one failed.
    var isFailing: Bool { self.failures > 0 }

    /// The first one is due at once.
    init(refresh: Duration, pace: Duration = .seconds(1), at now: MonotonicInstant) {
        self.refresh = refresh
        self.pace = pace
        self.state = .idle(due: now)
    }

    /// When the next one is due; `never` while one is in progress.
    var due: MonotonicInstant {
        switch self.state {
        case .idle(let due): due
        case .asking: .never
        }
    }

    /// One begins.
    mutating func begin(at now: MonotonicInstant) {
        self.askedAt = now
        self.state = .asking(again: .never)
    }

    /// The one in progress has ended.
    mutating func answered(hasSucceeded: Bool, at now: MonotonicInstant) {
        guard case .asking(let again) = self.state else { return }
        self.failures = hasSucceeded ? 0 : self.failures + 1
        self.state = .idle(due: min(max(again, now), now + (hasSucceeded ? self.refresh : self.retry)))
    }

    private var retry: Duration {
        let doublings = min(self.failures - 1, 10)
        return min(Self.firstRetry * (1 << doublings), Self.longestRetry, max(self.refresh, Self.firstRetry))
    }

    /// A caller wants the answer as it is now. One in progress may have asked before it changed, so another one follows.
    mutating func wanted(at now: MonotonicInstant) {
        switch self.state {
        case .idle(let due): self.state = .idle(due: min(due, now))
        case .asking(let again): self.state = .asking(again: min(again, now))
        }
    }

    /// The last answer may be outdated: no address can be connected to, or a key is unknown. One in progress is recent enough.
    mutating func doubted(at now: MonotonicInstant) {
        guard case .idle(let due) = self.state else { return }
        self.state = .idle(due: min(due, max(now, self.askedAt.map { $0 + self.pace } ?? now)))
    }
}
