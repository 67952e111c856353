internal import Admission
internal import Configuration
internal import Sessions
internal import System

/// Finds out whether the password of a request is right, and lets it go on then: the shell that acts. `PasswordMachine` decides; this class
/// tells it what happened and carries out its actions.
final class PasswordExchange: TimerHandler {
    // The connection may be gone when a thread answers; then the machine is over.
    unowned let client: ClientConnection
    private let context: SessionContext
    let request: JudgedRequest
    private let password: PasswordRequest
    private let pause: Duration
    private var machine: PasswordMachine
    private var timer: EventLoop.TimerID?

    /// - Parameters:
    ///   - password: it has entered the pool.
    ///   - pause: how long it waits before it is hashed.
    init(_ request: JudgedRequest, _ password: PasswordRequest, after pause: Duration, for client: ClientConnection) {
        self.request = request
        self.password = password
        self.pause = pause
        self.client = client
        self.context = client.context
        self.machine = PasswordMachine(pauses: pause > .zero)
    }

    /// Begins to wait or to hash.
    func begin() {
        switch self.machine.state {
        case .pausing: self.setTimer(at: min(self.context.loop.now + self.pause, self.end))
        case .hashing:
            self.setTimer(at: self.end)
            self.hash()
        case .over: break
        }
    }

    /// When it has taken as long as an opening handshake may.
    private var end: MonotonicInstant { self.client.began + self.request.route.settings.timeouts.handshake }

    private func setTimer(at instant: MonotonicInstant) { self.context.loop.setTimer(&self.timer, at: instant, self) }

    private func hash() {
        let isTaken = self.context.passwords.hash(self.password) { [weak self] in self?.handle(.judged(isRight: $0)) }
        if !isTaken { self.handle(.crowded) }
    }

    func timerFired() {
        self.timer = nil
        guard self.context.loop.now < self.end else { return self.handle(.timeOver) }
        self.handle(.pauseOver)
    }

    /// Tells the machine what happened, and carries out its action.
    private func handle(_ input: PasswordMachine.Input) {
        let wasPausing = self.machine.state == .pausing
        let action = self.machine.handle(input)
        if self.machine.state == .over {
            self.context.loop.cancelTimer(&self.timer)
            // A thread that has begun is not stopped; in line it has nothing to do any more.
            self.password.cancel()
            if wasPausing { self.context.passwords.pool.leave(self.password.address) }
        }
        switch action {
        case .nothing: break
        case .hash:
            self.setTimer(at: self.end)
            self.hash()
        case .decide(let isRight): self.client.judged(self.request, isRight, of: self.password.credential)
        case .refuse(let why): self.client.refuseUnjudged(self.request, self.refusal(why))
        case .end: self.client.leaveUnjudged()
        }
    }

    private func refusal(_ why: PasswordMachine.Refused) -> Refusal {
        switch why {
        case .crowded: self.request.demand.refusal(.crowded)
        case .tooLate: self.request.demand.refusal(.unverifiable("it took too long"))
        case .draining: .draining(routeIndex: self.request.demand.routeIndex)
        case .memory: .outOfMemory
        }
    }
}

extension PasswordExchange: CredentialExchange {
    func clientLeft() { self.handle(.clientLeft) }

    func close(_ ending: Ending) { self.handle(.ordered) }

    func memoryNeeded() { self.handle(.memoryNeeded) }
}
