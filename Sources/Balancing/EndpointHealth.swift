/// Whether an endpoint gets new sessions, out of three sources: active checks, failures of sessions, and the heartbeats of live ones.
///
/// It is up while none of them says otherwise, and an operator's `drain` stands above them all. Time is passed in, as a duration since any
/// zero.
package struct EndpointHealth: Sendable {
    package enum State: UInt8, Hashable, Sendable {
        case up
        case down
        /// An operator wants it to get no new sessions, whatever its health.
        case draining
    }

    package struct Rules: Hashable, Sendable {
        /// How many active checks in a row it takes to be up, and to be down.
        package struct Checks: Hashable, Sendable {
            package var rise: Int
            package var fall: Int

            package init(rise: Int, fall: Int) {
                self.rise = rise
                self.fall = fall
            }
        }

        /// How many failures of sessions in a row take an endpoint out, and for how long the first time.
        package struct Ejection: Hashable, Sendable {
            package var failures: Int
            package var duration: Duration

            package init(failures: Int, duration: Duration) {
                self.failures = failures
                self.duration = duration
            }
        }

        /// `nil`: there are none.
        package var checks: Checks?
        /// `nil`: failures of sessions are nobody's business.
        package var ejection: Ejection?

        package init(checks: Checks? = nil, ejection: Ejection? = nil) {
            self.checks = checks
            self.ejection = ejection
        }
    }

    package struct Change: Hashable, Sendable {
        package var from: State
        package var to: State
        /// One line.
        package var reason: String

        package init(from: State, to: State, reason: String) {
            self.from = from
            self.to = to
            self.reason = reason
        }
    }

    private enum Heartbeats {
        case fine
        case late(String)
        /// Checks passed although pongs are late. They can take it down again once most of them have come.
        case outvoted
    }

    /// A chance match of a few slow clients is no illness of the endpoint.
    private static let fewestLate = 3
    /// An ejection lasts at most so many times the first.
    private static let longestEjection = 10

    private var rules: Rules
    private var isDraining = false
    /// Checks in a row.
    private var passes = 0
    private var failures = 0
    /// Why checks say that it is down.
    private var checkFailure: String?
    private var ejectedUntil: Duration?
    private var ejection = ""
    /// Since a session succeeded.
    private var ejections = 0
    private var heartbeats = Heartbeats.fine
    /// What made it up.
    private var recovery: String?
    /// No other endpoint of the backend is left: what sessions say does not count (see `BackendHealth`).
    private(set) var isSpared = false

    package init(_ rules: Rules) {
        self.rules = rules
    }

    package var state: State {
        if self.isDraining { return .draining }
        if self.checkFailure != nil { return .down }
        return self.isAccusedBySessions && !self.isSpared ? .down : .up
    }

    /// Why it is in this state; `nil`: it always was.
    package var reason: String? {
        switch self.state {
        case .draining: return "drained"
        case .up: return self.recovery
        case .down: break
        }
        if let failure = self.checkFailure { return failure }
        if self.ejectedUntil != nil { return self.ejection }
        if case .late(let reason) = self.heartbeats { return reason }
        return nil
    }

    /// When the ejection ends: `timePassed` is to be called then.
    package var deadline: Duration? { self.ejectedUntil }

    /// It would be up, or is, but for what sessions say.
    var isOutForSessionsOnly: Bool {
        !self.isDraining && self.checkFailure == nil && self.isAccusedBySessions
    }

    /// It is up, whatever becomes of the others.
    var isUpByItself: Bool { !self.isDraining && self.checkFailure == nil && !self.isAccusedBySessions }

    private var isAccusedBySessions: Bool {
        if self.ejectedUntil != nil { return true }
        if case .late = self.heartbeats { return true }
        return false
    }

    /// Does `body`, and says what that changed; what is up thereafter is so by `recovery`.
    private mutating func changing(_ recovery: String, _ body: (inout Self) -> Void) -> Change? {
        let before = self.state
        body(&self)
        let after = self.state
        guard before != after else { return nil }
        if after == .up { self.recovery = recovery }
        return Change(from: before, to: after, reason: self.reason ?? recovery)
    }
}

// MARK: - Active checks

extension EndpointHealth {
    @discardableResult
    package mutating func checkPassed() -> Change? {
        guard let rise = self.rules.checks?.rise else { return nil }
        return self.changing("\(rise) \(rise == 1 ? "check" : "checks") passed") { health in
            health.failures = 0
            health.passes += 1
            guard health.passes >= rise else { return }
            health.checkFailure = nil
            if case .late = health.heartbeats { health.heartbeats = .outvoted }
        }
    }

    @discardableResult
    package mutating func checkFailed(_ reason: String) -> Change? {
        guard let fall = self.rules.checks?.fall else { return nil }
        return self.changing("") { health in
            health.passes = 0
            health.failures += 1
            if health.failures >= fall { health.checkFailure = "check: \(reason)" }
        }
    }
}

// MARK: - What sessions notice

extension EndpointHealth {
    /// So many sessions in a row could not be opened, up to now, the last one for `reason`.
    ///
    /// When an ejection is over the row still stands, so that one more failure ejects again: for twice as long.
    @discardableResult
    package mutating func failed(inARow count: Int, because reason: String, at now: Duration) -> Change? {
        guard let rule = self.rules.ejection, count >= rule.failures else { return nil }
        // Sessions that were begun before the ejection fail after it.
        if let until = self.ejectedUntil, now < until { return nil }
        return self.changing("") { health in
            // Beyond 2^4 the bound is reached anyway.
            let factor = min(1 << min(health.ejections, 4), Self.longestEjection)
            health.ejections += 1
            health.ejectedUntil = now + rule.duration * factor
            health.ejection = "ejected: \(count) failures in a row, the last: \(reason)"
        }
    }

    /// A session was opened: the row of failures is over.
    @discardableResult
    package mutating func succeeded() -> Change? {
        // Of an endpoint that is out, this is an attempt of before; of one that is spared it is news.
        guard self.ejectedUntil == nil || self.isSpared else { return nil }
        return self.changing("a session was opened") { health in
            health.ejections = 0
            health.ejectedUntil = nil
        }
    }

    /// Of the live sessions, which are `sessions`, the endpoint owes so many a pong.
    @discardableResult
    package mutating func heartbeats(late: Int, of sessions: Int) -> Change? {
        if late == 0, case .fine = self.heartbeats { return nil }
        let reason = "heartbeats: \(late) of \(sessions) sessions wait for a pong"
        return self.changing(reason) { health in
            if late == 0 || 4 * late < sessions {
                health.heartbeats = .fine
            } else if case .fine = health.heartbeats, late >= Self.fewestLate, 2 * late >= sessions {
                health.heartbeats = .late(reason)
                // Only checks that were made since then can say otherwise.
                health.passes = 0
            }
        }
    }

    /// To be called at `deadline`, or later.
    @discardableResult
    package mutating func timePassed(to now: Duration) -> Change? {
        guard let until = self.ejectedUntil, until <= now else { return nil }
        return self.changing("the ejection is over") { $0.ejectedUntil = nil }
    }
}

// MARK: - Operators and backends

extension EndpointHealth {
    /// No new sessions until `undrain`; what else happens meanwhile is remembered.
    @discardableResult
    package mutating func drain() -> Change? {
        self.changing("") { $0.isDraining = true }
    }

    @discardableResult
    package mutating func undrain() -> Change? {
        self.changing("undrained") { $0.isDraining = false }
    }

    /// Other rules from now on: a source that is not asked any more says nothing.
    @discardableResult
    package mutating func apply(_ rules: Rules) -> Change? {
        self.changing("the configuration changed") { health in
            health.rules = rules
            if rules.checks == nil {
                health.checkFailure = nil
                (health.passes, health.failures) = (0, 0)
            }
            if rules.ejection == nil {
                health.ejectedUntil = nil
                health.ejections = 0
            }
        }
    }

    /// Whether sessions are heard (see `BackendHealth`).
    mutating func spare(_ isSpared: Bool) {
        _ = self.changing("the last endpoint left") { $0.isSpared = isSpared }
    }
}
