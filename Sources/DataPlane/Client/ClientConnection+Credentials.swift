internal import Admission
internal import Configuration
internal import Connections
internal import Credentials
internal import HTTP1
internal import Sessions
internal import System
internal import TLS

/// Letting clients in: what a request's credential is worth, and what follows from that.
extension ClientConnection {
    /// The names in the client's certificate, where any route looks at them.
    func certificate(for routes: RouteTable) -> CertificateIdentity? {
        guard routes.asksForCertificates else { return nil }
        return self.connection?.tls?.peerNames.map { CertificateIdentity($0) }
    }

    /// Finds out what a request's credential is worth. Tokens and certificates are judged at once. A password that is not remembered is hashed
    /// by another thread, and an auth service is asked; then `judged` is called.
    func judge(_ request: JudgedRequest) {
        self.route = request.route
        self.loop.budget.spend(Work.verification)
        let worth = request.demand.credentials.worth(
            of: request.demand.shown, certificate: self.certificate(for: request.configuration.shared.routeTable),
            by: self.context.credentials, now: WallClock.sinceEpoch().components.seconds)
        switch worth {
        case .verdict(let verdict):
            if let keys = request.demand.credentials.outdatedKeys(after: verdict, on: request.demand.shown) {
                self.owner.doubts(keys)
            }
            self.letIn(request, verdict)
        case .unverifiable(let reason): self.turnAway(request.demand.refusal(.unverifiable(reason)), request.head)
        case .password(let credential, let file, _): self.judge(credential, of: file, request)
        case .asked(let settings): self.ask(settings, about: request)
        }
    }

    private func ask(_ settings: ForwardSettings, about request: JudgedRequest) {
        guard let service = request.route.authService else {
            return self.turnAway(request.demand.refusal(.unverifiable("there is no auth service")), request.head)
        }
        guard self.machine.handle(.admitted) == .beginExchange else { return }
        self.clearDeadline()
        let exchange = ForwardExchange(request, settings, of: service, for: self)
        self.exchange = exchange
        exchange.begin()
    }

    private func judge(_ credential: BasicCredential, of file: PasswordFile, _ request: JudgedRequest) {
        let address = (self.summary.client ?? self.address.ip)?.subscriber
        switch self.context.passwords.pool.enter(credential, of: file, from: address, now: self.loop.now) {
        case .isKnown: self.letIn(request, self.verdict(on: credential, isRight: true, request))
        case .isCrowded: self.turnAway(request.demand.refusal(.crowded), request.head)
        case .waits(let pause):
            guard self.machine.handle(.admitted) == .beginExchange else {
                return self.context.passwords.pool.leave(address)
            }
            self.clearDeadline()
            let password = PasswordRequest(credential, of: file, from: address)
            let exchange = PasswordExchange(request, password, after: pause, for: self)
            self.exchange = exchange
            exchange.begin()
        }
    }

    /// It is known whether a request's password is right.
    func judged(_ request: JudgedRequest, _ isRight: Bool, of credential: BasicCredential) {
        self.judged(request, self.verdict(on: credential, isRight: isRight, request))
    }

    /// It is known what a request's credential is worth.
    ///
    /// - Parameters:
    ///   - cookies: what the auth service has for the client.
    ///   - renewal: asks it again, if the request becomes a session.
    func judged(
        _ request: JudgedRequest, _ verdict: Verdict, cookies: HTTPFields = HTTPFields(),
        renewal: CredentialRenewal? = nil
    ) {
        self.exchange = nil
        _ = self.machine.handle(.credentialJudged)
        self.letIn(request, verdict, cookies, renewal)
        // An end that came meanwhile is not reported again.
        if let connection = self.connection, connection.hasEnded { self.exchange?.ready(client: connection, .none) }
    }

    /// A request is refused before its credential was judged, or because it was.
    func refuseUnjudged(_ request: JudgedRequest, _ refusal: Refusal) {
        self.exchange = nil
        _ = self.machine.handle(.credentialJudged)
        self.turnAway(refusal, request.head)
    }

    /// The client has left before its credential was judged.
    func leaveUnjudged() {
        self.subject.abandoned("the client left before its credential was verified", in: self.phase, self.context)
        self.leave()
    }

    private func verdict(on credential: BasicCredential, isRight: Bool, _ request: JudgedRequest) -> Verdict {
        guard case .password(_, let kind) = request.demand.shown,
            case .basic(let settings) = request.demand.credentials.kinds[kind]
        else { return .refused(.password) }
        return PasswordVerdict.of(credential, isRight: isRight, settings)
    }

    private func letIn(
        _ request: JudgedRequest, _ verdict: Verdict, _ cookies: HTTPFields = HTTPFields(),
        _ renewal: CredentialRenewal? = nil
    ) {
        switch verdict {
        case .granted(let grant) where grant.subject.map { self.context.revoked.has($0, now: self.loop.now) } == true:
            self.turnAway(request.demand.refusal(.forbidden("its subject is kept out for a while")), request.head)
        case .granted(let grant):
            let credential = CredentialSummary(grant, at: self.loop.now)
            credential.cookies = cookies
            credential.renewal = renewal
            self.summary.credential = credential
            self.follow(request.decision.granted(grant.fields), request.head, request.configuration)
        case .refused(let flaw): self.turnAway(request.demand.refusal(.refused(flaw)), request.head)
        case .forbidden(let why): self.turnAway(request.demand.refusal(.forbidden(why)), request.head)
        }
    }
}

extension CertificateIdentity {
    fileprivate init(_ names: PeerNames) {
        self.init(
            subject: names.subject, commonName: names.commonName,
            alternativeNames: names.alternativeNames.map { AlternativeNames(hosts: $0.hosts, uris: $0.uris) })
    }
}
