/// Whether an endpoint gets new sessions. Three sources decide: active checks, failed sessions, and the heartbeats of live
/// sessions.
///
/// It is up unless one of them says otherwise. An operator's order comes before them all. Times are durations since an
/// arbitrary zero.
public struct EndpointHealth: Sendable {
    /// Whether it gets new sessions.
    public enum State: UInt8, Hashable, Sendable {
        /// It gets new sessions.
        case up
        /// Checks, failures or heartbeats speak against it.
        case down
        /// An operator wants it to get no new sessions, and its sessions are closed, whatever its health.
        case draining
        /// An operator wants it to get no sessions but of clients that ask for it: those with a cookie that names it.
        case reserved
    }

    /// What an operator wants. It comes before all sources.
    public enum Order: Hashable, Sendable {
        /// Nothing: its health decides.
        case up
        /// Only clients that ask for it still come, while its health is good.
        case reserve
        /// No client comes. Its sessions stay.
        case down
        /// No client comes, and its sessions are closed.
        case drain
    }

    /// The sources that count, and when they decide.
    public struct Rules: Hashable, Sendable {
        /// How many active checks in a row change the state.
        public struct Checks: Hashable, Sendable {
            /// So many passed checks bring it up.
            var rise: Int
            /// So many failed checks take it down.
            var fall: Int

            /// Both at least 1.
            public init(rise: Int, fall: Int) {
                self.rise = rise
                self.fall = fall
            }
        }

        /// How failed sessions take an endpoint out.
        public struct Ejection: Hashable, Sendable {
            /// So many failures in a row eject it.
            var failures: Int
            /// How long the first ejection lasts.
            var duration: Duration

            /// `failures` is at least 1, `duration` above zero.
            public init(failures: Int, duration: Duration) {
                self.failures = failures
                self.duration = duration
            }
        }

        /// `nil` if there are no active checks.
        var checks: Checks?
        /// `nil` if failed sessions do not count.
        var ejection: Ejection?

        /// Without either, only heartbeats count.
        public init(checks: Checks? = nil, ejection: Ejection? = nil) {
            self.checks = checks
            self.ejection = ejection
        }
    }

    /// A change of the state.
    public struct Change: Hashable, Sendable {
        /// The state before.
        public var from: State
        /// The state after.
        public var to: State
        /// One line, for the log.
        public var reason: String

        init(from: State, to: State, reason: String) {
            self.from = from
            self.to = to
            self.reason = reason
        }
    }

    private enum Heartbeats {
        case fine
        case late(String)
        /// Checks passed although pongs are late. Heartbeats count again once most pongs have come.
        case outvoted
    }

    /// Fewer late sessions than this may be a coincidence of slow clients.
    private static let fewestLate = 3
    /// An ejection lasts at most so many times as long as the first.
    private static let longestEjection = 10

    private var rules: Rules
    /// What the operator wants.
    public private(set) var order = Order.up
    /// Passed checks in a row.
    private var passes = 0
    /// Failed checks in a row.
    private var failures = 0
    /// Why checks have taken it down.
    private var checkFailure: String?
    private var ejectedUntil: Duration?
    /// Why it was ejected.
    private var ejection = ""
    /// Ejections since a session was last opened.
    private var ejections = 0
    private var heartbeats = Heartbeats.fine
    /// What brought it up.
    private var recovery: String?
    /// It is kept up although sessions speak against it, because no other endpoint is left (see `BackendHealth`).
    private(set) var isSpared = false

    /// Up, with nothing known against it.
    public init(_ rules: Rules) {
        self.rules = rules
    }

    /// What the sources and the operator make of it.
    public var state: State {
        switch self.order {
        case .drain: return .draining
        case .down: return .down
        case .up, .reserve: break
        }
        if self.checkFailure != nil || self.isAccusedBySessions && !self.isSpared { return .down }
        return self.order == .reserve ? .reserved : .up
    }

    /// Why it is in this state; `nil` if it has always been.
    public var reason: String? {
        switch self.state {
        case .draining: return "drained"
        case .reserved: return "an operator drains it: only clients with a cookie that names it come"
        case .up: return self.recovery
        case .down: break
        }
        if self.order == .down { return "an operator took it down" }
        if let failure = self.checkFailure { return failure }
        if self.ejectedUntil != nil { return self.ejection }
        if case .late(let reason) = self.heartbeats { return reason }
        return nil
    }

    /// When the ejection ends. Call `timePassed` then.
    var deadline: Duration? { self.ejectedUntil }

    /// Only sessions speak against it.
    var isOutForSessionsOnly: Bool {
        self.order == .up && self.checkFailure == nil && self.isAccusedBySessions
    }

    /// It is up, and would be whatever becomes of the others.
    var isUpByItself: Bool { self.order == .up && self.checkFailure == nil && !self.isAccusedBySessions }

    private var isAccusedBySessions: Bool {
        if self.ejectedUntil != nil { return true }
        if case .late = self.heartbeats { return true }
        return false
    }

    /// Does `body`. Returns the change, if any; `recovery` is the reason if it is now up.
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
    /// An active check passed.
    @discardableResult
    public mutating func checkPassed() -> Change? {
        guard let rise = self.rules.checks?.rise else { return nil }
        return self.changing("\(rise) \(rise == 1 ? "check" : "checks") passed") { health in
            health.failures = 0
            health.passes += 1
            guard health.passes >= rise else { return }
            health.checkFailure = nil
            if case .late = health.heartbeats { health.heartbeats = .outvoted }
        }
    }

    /// An active check failed for `reason`.
    @discardableResult
    public mutating func checkFailed(_ reason: String) -> Change? {
        guard let fall = self.rules.checks?.fall else { return nil }
        return self.changing("") { health in
            health.passes = 0
            health.failures += 1
            if health.failures >= fall { health.checkFailure = "check: \(reason)" }
        }
    }
}

// MARK: - Sessions

extension EndpointHealth {
    /// So many sessions in a row could not be opened, the last one for `reason`.
    ///
    /// The count goes on after an ejection: one more failure ejects again, for twice as long.
    @discardableResult
    public mutating func failed(inARow count: Int, because reason: String, at now: Duration) -> Change? {
        guard let rule = self.rules.ejection, count >= rule.failures else { return nil }
        // Sessions that began before the ejection still fail during it.
        if let until = self.ejectedUntil, now < until { return nil }
        return self.changing("") { health in
            // 2^4 is above the bound already.
            let factor = min(1 << min(health.ejections, 4), Self.longestEjection)
            health.ejections += 1
            health.ejectedUntil = now + rule.duration * factor
            health.ejection = "ejected: \(count) failures in a row, the last: \(reason)"
        }
    }

    /// A session was opened. It ends the row of failures.
    @discardableResult
    public mutating func succeeded() -> Change? {
        // If the endpoint is out, the session began before the ejection, and says nothing new. If it is spared, it does.
        guard self.ejectedUntil == nil || self.isSpared else { return nil }
        return self.changing("a session was opened") { health in
            health.ejections = 0
            health.ejectedUntil = nil
        }
    }

    /// The endpoint owes a pong to `late` of its `sessions` live sessions.
    @discardableResult
    public mutating func heartbeats(late: Int, of sessions: Int) -> Change? {
        if late == 0, case .fine = self.heartbeats { return nil }
        let reason = "heartbeats: \(late) of \(sessions) sessions wait for a pong"
        return self.changing(reason) { health in
            if late == 0 || 4 * late < sessions {
                health.heartbeats = .fine
            } else if case .fine = health.heartbeats, late >= Self.fewestLate, 2 * late >= sessions {
                health.heartbeats = .late(reason)
                // Only checks made from now on can outvote this.
                health.passes = 0
            }
        }
    }

    /// Ends the ejection if it is over. To be called at `deadline`, or later.
    @discardableResult
    mutating func timePassed(to now: Duration) -> Change? {
        guard let until = self.ejectedUntil, until <= now else { return nil }
        return self.changing("the ejection is over") { $0.ejectedUntil = nil }
    }
}

// MARK: - Operators and backends

extension EndpointHealth {
    /// Follows an operator's order until the next one. Other events count meanwhile, and show after it.
    @discardableResult
    public mutating func follow(_ order: Order) -> Change? {
        self.changing("an operator took the order back") { $0.order = order }
    }

    /// Applies other rules. The verdict of a source without a rule is dropped.
    @discardableResult
    public mutating func apply(_ rules: Rules) -> Change? {
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

    /// Keeps it up although sessions speak against it, or no longer (see `BackendHealth`).
    mutating func spare(_ isSpared: Bool) {
        _ = self.changing("the last endpoint left") { $0.isSpared = isSpared }
    }
}
