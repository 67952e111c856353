public import System

/// When the auth service is asked again about the client of an open session, and what follows from its answers. The clock is passed in.
///
/// An answer that lets the client in is good for `again`. While the service is unreachable it is asked every 10 s, and the session ends when that
/// has lasted for another `again`.
public struct RenewalSchedule: Equatable, Sendable {
    /// What is due.
    public enum Step: Equatable, Sendable {
        /// Nothing before this instant.
        case nothing(until: MonotonicInstant)
        /// Ask. `answered` is to be called with what comes of it.
        case ask
        /// The session ends: the service has been unreachable for too long.
        case end
    }

    /// What a service has said.
    public enum Answer: Equatable, Sendable {
        case granted
        case refused
        case unreachable
    }

    private enum State: Equatable, Sendable {
        /// The last answer let the client in.
        case good(since: MonotonicInstant)
        /// The last one said nothing.
        ///
        /// - since: when the first of these came.
        case uncertain(since: MonotonicInstant, last: MonotonicInstant)
        case over
    }

    /// The pause after an answer that says nothing.
    public static let retry = Duration.seconds(10)

    private let spread: Int
    private var state: State
    private var isAsking = false

    /// The service has just let the client in.
    ///
    /// - Parameter spread: a random number: sessions that were opened together are asked about up to a tenth of `again` earlier, not all at once.
    public init(at now: MonotonicInstant, spread: UInt8) {
        self.state = .good(since: now)
        self.spread = Int(spread)
    }

    /// What is due now.
    ///
    /// - Parameter again: `forward.again` of the route now; `nil`: the service is not asked any more.
    public mutating func check(at now: MonotonicInstant, _ again: Duration?) -> Step {
        guard let again else { return .nothing(until: .never) }
        var due: MonotonicInstant
        var end = MonotonicInstant.never
        switch self.state {
        case .good(let since): due = since + (again - again / 2560 * self.spread)
        case .uncertain(let since, let last):
            due = last + Self.retry
            end = since + again
            if now >= end { return self.over() }
        case .over: return .nothing(until: .never)
        }
        if self.isAsking { due = .never }
        guard now >= due else { return .nothing(until: min(due, end)) }
        self.isAsking = true
        return .ask
    }

    /// The service has answered, or did not in time.
    ///
    /// - Returns: whether the session has to end: the client is let in no more.
    public mutating func answered(_ answer: Answer, at now: MonotonicInstant) -> Bool {
        self.isAsking = false
        switch (self.state, answer) {
        case (.over, _): return false
        case (_, .granted): self.state = .good(since: now)
        case (_, .refused):
            self.state = .over
            return true
        case (.good, .unreachable): self.state = .uncertain(since: now, last: now)
        case (.uncertain(let since, _), .unreachable): self.state = .uncertain(since: since, last: now)
        }
        return false
    }

    private mutating func over() -> Step {
        self.state = .over
        return .end
    }
}
