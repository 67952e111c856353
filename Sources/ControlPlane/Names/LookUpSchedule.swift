internal import System

/// When one host name is looked up. The clock is passed in.
struct LookUpSchedule: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        case idle(due: MonotonicInstant)
        /// A look-up is under way, and another one is wanted at that time; `never`: none is.
        case asking(again: MonotonicInstant)
    }

    /// After a failure it is looked up again after so long, then after twice as long, and so on.
    static let firstRetry = Duration.seconds(1)
    static let longestRetry = Duration.seconds(30)
    /// Sessions that find none of its addresses have it looked up no more often than this.
    static let pace = Duration.seconds(1)

    /// How often a name is looked up that was found.
    var refresh: Duration
    private var state: State
    private var askedAt: MonotonicInstant?
    /// Look-ups in a row that failed.
    private var failures = 0
    /// The latest look-up had no answer.
    var isFailing: Bool { self.failures > 0 }

    /// A name that is to be looked up at once.
    init(refresh: Duration, at now: MonotonicInstant) {
        self.refresh = refresh
        self.state = .idle(due: now)
    }

    /// When to look it up; `never` while that is going on.
    var due: MonotonicInstant {
        switch self.state {
        case .idle(let due): due
        case .asking: .never
        }
    }

    /// The look-up begins.
    mutating func begin(at now: MonotonicInstant) {
        self.askedAt = now
        self.state = .asking(again: .never)
    }

    /// Its answer has come.
    mutating func answered(hasSucceeded: Bool, at now: MonotonicInstant) {
        guard case .asking(let again) = self.state else { return }
        self.failures = hasSucceeded ? 0 : self.failures + 1
        self.state = .idle(due: min(max(again, now), now + (hasSucceeded ? self.refresh : self.retry)))
    }

    private var retry: Duration {
        let doublings = min(self.failures - 1, 10)
        return min(Self.firstRetry * (1 << doublings), Self.longestRetry, max(self.refresh, Self.firstRetry))
    }

    /// Its addresses are wanted now: the answer that is under way may be to an old question.
    mutating func wanted(at now: MonotonicInstant) {
        switch self.state {
        case .idle(let due): self.state = .idle(due: min(due, now))
        case .asking(let again): self.state = .asking(again: min(again, now))
        }
    }

    /// None of its addresses can be connected to. An answer that is on its way has the new ones, if there are any.
    mutating func addressesFailed(at now: MonotonicInstant) {
        guard case .idle(let due) = self.state else { return }
        self.state = .idle(due: min(due, max(now, self.askedAt.map { $0 + Self.pace } ?? now)))
    }
}
