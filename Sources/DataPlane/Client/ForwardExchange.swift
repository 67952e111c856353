internal import Admission
internal import Configuration
internal import Credentials
internal import HTTP1
internal import Sessions
internal import System

/// Asks a route's auth service about a request, and lets it go on then: the shell that acts. `ForwardMachine` decides; this class tells it what
/// happened and carries out its actions.
final class ForwardExchange {
    unowned let client: ClientConnection
    let request: JudgedRequest
    private let settings: ForwardSettings
    private let service: AuthService
    private let question: AuthQuestion
    private var machine = ForwardMachine()
    private var call: AuthCall?

    /// - Parameters:
    ///   - settings: `forward` of the route.
    ///   - service: what they name.
    init(_ request: JudgedRequest, _ settings: ForwardSettings, of service: AuthService, for client: ClientConnection) {
        self.request = request
        self.settings = settings
        self.service = service
        self.client = client
        self.question = request.demand.question(request.head.fields)
    }

    /// Begins to ask.
    func begin() {
        let timeouts = self.request.route.settings.timeouts
        let call = AuthCall(
            self.question, to: self.service, self.settings, within: timeouts.connect,
            until: self.request.isUpgrade ? self.client.began + timeouts.handshake : .never,
            self.request.configuration, self.client.context, for: self)
        self.call = call
        call.start()
    }

    /// Tells the machine what happened, and carries out its action.
    ///
    /// - Parameter verdict: what the service said, if it did.
    private func handle(_ input: ForwardMachine.Input, _ verdict: AuthVerdict? = nil) {
        let action = self.machine.handle(input)
        if self.machine.state == .over {
            self.call?.end()
            self.call = nil
        }
        switch (action, verdict) {
        case (.letIn, .granted(let grant, let cookies)?):
            self.client.judged(self.request, .granted(grant), cookies: cookies, renewal: self.renewal)
        case (.refuse(.service), .refused(let answer)?):
            self.client.refuseUnjudged(self.request, self.request.demand.refusal(passingOn: answer))
        case (.refuse(.unreachable), .unreachable(let reason)?):
            self.client.refuseUnjudged(self.request, self.request.demand.refusal(.unverifiable(reason)))
        case (.refuse(.draining), _):
            self.client.refuseUnjudged(self.request, .draining(routeIndex: self.request.demand.routeIndex))
        case (.refuse(.memory), _): self.client.refuseUnjudged(self.request, .outOfMemory)
        case (.end, _): self.client.leaveUnjudged()
        case (.nothing, _), (.letIn, _), (.refuse, _): break
        }
    }

    /// Asks again later, if the request becomes a session and its route wants that.
    private var renewal: CredentialRenewal? {
        guard self.request.isUpgrade, self.settings.again != nil else { return nil }
        return CredentialRenewal(self.question, at: self.client.loop.now, of: self.client.id)
    }
}

extension ForwardExchange: AuthCallOwner {
    func answered(_ verdict: AuthVerdict) {
        switch verdict {
        case .granted: self.handle(.judged(letsIn: true), verdict)
        case .refused: self.handle(.judged(letsIn: false), verdict)
        case .unreachable: self.handle(.unreachable, verdict)
        }
    }
}

extension ForwardExchange: CredentialExchange {
    func clientLeft() { self.handle(.clientLeft) }

    func close(_ ending: Ending) { self.handle(.ordered) }

    func memoryNeeded() { self.handle(.memoryNeeded) }
}
