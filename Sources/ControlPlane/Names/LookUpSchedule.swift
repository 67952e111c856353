internal import System

/// When to look one host name up. The clock is passed in.
struct LookUpSchedule: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        case idle(due: MonotonicInstant)
        /// A look-up is in progress. The next one is due at `again`; `never`: when the refresh or the retry is.
        case asking(again: MonotonicInstant)
    }

    /// The pause after a failure. It doubles with each further one, up to `longestRetry`.
    static let firstRetry = Duration.seconds(1)
    static let longestRetry = Duration.seconds(30)
    /// The shortest time between look-ups that are caused by failed connections.
    static let pace = Duration.seconds(1)

    /// The pause after a success.
    var refresh: Duration
    private var state: State
    private var askedAt: MonotonicInstant?
    /// The number of look-ups in a row that failed.
    private var failures = 0
    /// Whether the last look-up failed.
    var isFailing: Bool { self.failures > 0 }

    /// A name that is due at once.
    init(refresh: Duration, at now: MonotonicInstant) {
        self.refresh = refresh
        self.state = .idle(due: now)
    }

    /// When to look it up; `never` while a look-up is in progress.
    var due: MonotonicInstant {
        switch self.state {
        case .idle(let due): due
        case .asking: .never
        }
    }

    /// A look-up begins.
    mutating func begin(at now: MonotonicInstant) {
        self.askedAt = now
        self.state = .asking(again: .never)
    }

    /// A look-up has ended.
    mutating func answered(hasSucceeded: Bool, at now: MonotonicInstant) {
        guard case .asking(let again) = self.state else { return }
        self.failures = hasSucceeded ? 0 : self.failures + 1
        self.state = .idle(due: min(max(again, now), now + (hasSucceeded ? self.refresh : self.retry)))
    }

    private var retry: Duration {
        let doublings = min(self.failures - 1, 10)
        return min(Self.firstRetry * (1 << doublings), Self.longestRetry, max(self.refresh, Self.firstRetry))
    }

    /// A caller wants the addresses as they are now. A look-up in progress may have asked before they changed, so another one follows it.
    mutating func wanted(at now: MonotonicInstant) {
        switch self.state {
        case .idle(let due): self.state = .idle(due: min(due, now))
        case .asking(let again): self.state = .asking(again: min(again, now))
        }
    }

    /// No address of the name can be connected to. A look-up in progress is recent enough.
    mutating func addressesFailed(at now: MonotonicInstant) {
        guard case .idle(let due) = self.state else { return }
        self.state = .idle(due: min(due, max(now, self.askedAt.map { $0 + Self.pace } ?? now)))
    }
}
