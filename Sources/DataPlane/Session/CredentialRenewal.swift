internal import Admission
internal import Configuration
internal import Observability
internal import Sessions
internal import System

/// Asks a route's auth service again about the client of an open session, with what the client showed when it came: the shell that acts.
/// `RenewalSchedule` decides.
///
/// It has a timer of its own, so that sessions without it carry nothing of it.
final class CredentialRenewal: TimerHandler, AuthCallOwner {
    private let question: AuthQuestion
    /// `nil` while the session is being opened.
    private weak var session: Session?
    private var schedule: RenewalSchedule
    private var call: AuthCall?
    private var timer: EventLoop.TimerID?
    /// Why the session ends, for the log; `nil` while the service lets its client in.
    private(set) var reason: String?

    /// - Parameters:
    ///   - question: what the service was asked, and has just said yes to. There are credentials in it.
    ///   - id: the session's, which is random.
    init(_ question: AuthQuestion, at now: MonotonicInstant, of id: SessionID) {
        self.question = question
        self.schedule = RenewalSchedule(at: now, spread: UInt8(truncatingIfNeeded: id.number >> 16))
    }

    /// The session is open.
    func begin(for session: Session) {
        self.session = session
        self.check()
    }

    /// The session is over.
    func end() {
        if let loop = self.session?.loop { loop.cancelTimer(&self.timer) }
        self.call?.end()
        self.call = nil
        self.session = nil
    }

    func timerFired() {
        self.timer = nil
        self.check()
    }

    /// Does what is due. The route may have other settings than before.
    func check() {
        guard let session = self.session, session.isOpen else { return }
        let now = session.loop.now
        let settings = session.route?.settings.forward
        switch self.schedule.check(at: now, settings?.again) {
        case .ask:
            self.ask(settings, session)
            self.check()
        case .nothing(.never): session.loop.cancelTimer(&self.timer)
        case .nothing(let until): session.loop.setTimer(&self.timer, at: until, self)
        case .end: session.close(.byGateway(.credentialExpired))
        }
    }

    private func ask(_ settings: ForwardSettings?, _ session: Session) {
        let configuration = session.context.configuration
        // A session that a reload is about to end may have a service of the configuration before.
        guard let settings, let route = session.route, let service = route.authService,
            configuration.shared.has(service)
        else { return self.judged(.unreachable, "the route's auth service is gone") }
        let call = AuthCall(
            self.question, to: service, settings, within: route.settings.timeouts.connect, configuration,
            session.context, for: self)
        self.call = call
        call.start()
    }

    func answered(_ verdict: AuthVerdict) {
        self.call = nil
        switch verdict {
        case .granted: self.judged(.granted, nil)
        case .refused(let answer): self.judged(.refused, "the auth service answered \(answer.status)")
        case .unreachable(let reason): self.judged(.unreachable, reason)
        }
        self.check()
    }

    private func judged(_ answer: RenewalSchedule.Answer, _ reason: String?) {
        guard let session = self.session, session.isOpen else { return }
        self.reason = reason
        if self.schedule.answered(answer, at: session.loop.now) { session.close(.byGateway(.credentialExpired)) }
    }
}
