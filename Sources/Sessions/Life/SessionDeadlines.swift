public import Configuration
public import System

/// What an open session's single timer waits for, besides the heartbeats of its legs. The clock is passed in.
public struct SessionDeadlines: Equatable, Sendable {
    private let began: MonotonicInstant
    /// When the client's credential is good no more.
    private let credentialEnds: MonotonicInstant
    /// When data last passed in either direction.
    public var lastData: MonotonicInstant
    /// When the conversation asked to be called.
    public var tick = MonotonicInstant.never
    /// When the client, held back for its rates, may go on.
    public var release = MonotonicInstant.never
    /// The time that the timer is set to.
    public var armed = MonotonicInstant.never

    /// - Parameters:
    ///   - began: when the client was accepted.
    ///   - now: when the session was opened.
    ///   - credentialEnds: when the client's credential is good no more.
    public init(
        began: MonotonicInstant, openedAt now: MonotonicInstant, credentialEnds: MonotonicInstant = .never
    ) {
        self.began = began
        self.credentialEnds = credentialEnds
        self.lastData = now
    }

    /// Why the session has to end now; `nil` if it may go on.
    public func ending(at now: MonotonicInstant, _ timeouts: Timeouts) -> Cause? {
        if now >= self.credentialEnds { return .credentialExpired }
        if now >= self.lifetime(timeouts) { return .sessionTimeout }
        if now >= self.idle(timeouts) { return .idleTimeout }
        return nil
    }

    /// Whether the conversation asked to be called by now. The request is cleared.
    public mutating func takeTick(at now: MonotonicInstant) -> Bool {
        guard now >= self.tick else { return false }
        self.tick = .never
        return true
    }

    /// Whether the client may go on by now. The request is cleared.
    public mutating func takeRelease(at now: MonotonicInstant) -> Bool {
        guard now >= self.release else { return false }
        self.release = .never
        return true
    }

    /// When to check again.
    ///
    /// - Parameter legs: when each leg's heartbeat has to be checked.
    public func next(_ timeouts: Timeouts, _ legs: PerLeg<MonotonicInstant>) -> MonotonicInstant {
        min(
            min(self.tick, self.release, self.credentialEnds), self.lifetime(timeouts), self.idle(timeouts),
            min(legs.client, legs.backend))
    }

    private func lifetime(_ timeouts: Timeouts) -> MonotonicInstant {
        timeouts.session.map { self.began + $0 } ?? .never
    }

    private func idle(_ timeouts: Timeouts) -> MonotonicInstant { timeouts.idle.map { self.lastData + $0 } ?? .never }
}
