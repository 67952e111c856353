public import Configuration
public import Credentials
public import System

/// Finds out whether one password is right, for the admin address: it has no session, and no route that says how long that may take.
public final class PasswordCheck: TimerHandler {
    /// What is known of a password.
    public enum Outcome: Equatable, Sendable {
        case right
        case wrong
        /// It is not verified: too many are.
        case crowded
    }

    private enum State {
        /// Of its address came too many wrong ones.
        case pausing
        case hashing
        case over
    }

    private let passwords: WorkerPasswords
    private let loop: EventLoop
    private let request: PasswordRequest
    private let then: (Outcome) -> Void
    private var state = State.pausing
    private var timer: EventLoop.TimerID?

    fileprivate init(
        _ request: PasswordRequest, _ passwords: WorkerPasswords, on loop: EventLoop,
        then: @escaping (Outcome) -> Void
    ) {
        self.request = request
        self.passwords = passwords
        self.loop = loop
        self.then = then
    }

    fileprivate func begin(after pause: Duration) {
        guard pause > .zero else { return self.hash() }
        self.loop.setTimer(&self.timer, at: self.loop.now + pause, self)
    }

    /// The pause is over.
    public func timerFired() {
        self.timer = nil
        if case .pausing = self.state { self.hash() }
    }

    private func hash() {
        self.state = .hashing
        // Its connection may be closed by the time the thread answers.
        let isTaken = self.passwords.hash(self.request) { [weak self] in self?.answer($0 ? .right : .wrong) }
        if !isTaken { self.answer(.crowded) }
    }

    private func answer(_ outcome: Outcome) {
        guard case .hashing = self.state else { return }
        self.state = .over
        self.then(outcome)
    }

    /// Nothing waits for it any more: the outcome is not told.
    public func cancel() {
        switch self.state {
        case .pausing:
            self.loop.cancelTimer(&self.timer)
            self.passwords.pool.leave(self.request.address)
        // A thread that has begun is not stopped; in line it has nothing to do any more.
        case .hashing: self.request.cancel()
        case .over: break
        }
        self.state = .over
    }
}

extension WorkerPasswords {
    /// Verifies a password. One that was right lately is known at once.
    ///
    /// - Parameters:
    ///   - address: of the client, in the unit of `IPAddress.subscriber`; `nil`: it has none, and is not slowed down.
    ///   - then: gets the outcome on the loop's thread: at once, or later.
    /// - Returns: what goes on; `nil` where `then` has been called.
    public func check(
        _ credential: BasicCredential, of file: PasswordFile, from address: IPNetwork?, on loop: EventLoop,
        then: @escaping (PasswordCheck.Outcome) -> Void
    ) -> PasswordCheck? {
        switch self.pool.enter(credential, of: file, from: address, now: loop.now) {
        case .isKnown: then(.right)
        case .isCrowded: then(.crowded)
        case .waits(let pause):
            let check = PasswordCheck(
                PasswordRequest(credential, of: file, from: address), self, on: loop, then: then)
            check.begin(after: pause)
            return check
        }
        return nil
    }
}
