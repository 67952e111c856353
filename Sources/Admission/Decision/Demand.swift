internal import Configuration
public import Credentials
public import HTTP1

/// A request's credential, on which a decision depends, and the answers to one that is not good.
public struct Demand: Sendable {
    /// What it is: a token, a password, a certificate, or all that an auth service may look at.
    public let shown: RouteCredentials.Shown
    /// Those that the route takes.
    public let credentials: RouteCredentials
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    private let request: CheckedRequest
    /// Where the client goes that asks for a page; `nil`: it does not, or there is no such place.
    private let signIn: String?
    /// Another request may follow on the connection.
    private let keepsClient: Bool

    /// - Parameter request: without its credential.
    init(
        _ shown: RouteCredentials.Shown, _ credentials: RouteCredentials, by request: CheckedRequest,
        _ routes: RouteTable, _ index: Int
    ) {
        self.shown = shown
        self.credentials = credentials
        self.routeIndex = index
        self.request = request
        let isForPage = request.head.method == "GET" && !request.isUpgrade && request.host != nil && request.wantsPage
        self.signIn = isForPage ? routes.routes[index].signIn : nil
        self.keepsClient = routes.keepsClients(index) && request.keepsClient
    }

    /// What the rules besides have decided, as far as that depends on what is shown.
    ///
    /// - Throws: the refusal of a request that shows nothing of which the worth could be found.
    func decision(_ decision: Admission.Decision) throws(Refusal) -> Admission.Decision {
        switch self.shown {
        case .missing: throw self.refusal(.missing)
        case .missingCertificate: throw self.refusal(.missingCertificate)
        case .refused(let flaw): throw self.refusal(.refused(flaw))
        case .token, .password, .certificate, .forward: return .demands(self, then: decision)
        }
    }

    /// Why a client is not let in.
    public enum Reason: Equatable, Sendable {
        case missing
        case missingCertificate
        case refused(Flaw)
        /// The reason is that of `Verdict.forbidden`.
        case forbidden(String)
        /// There is nothing to verify it with.
        case unverifiable(String)
        /// As many passwords are being verified as may be.
        case crowded
    }

    /// The answer to a request with a credential that is not good. The client is not told why; the log and `explain` are.
    public func refusal(_ reason: Reason) -> Refusal {
        var refusal =
            switch reason {
            case .missing: self.unauthorized("A credential is needed here.")
            case .refused(let flaw): self.unauthorized("The credential is not accepted.", because: flaw.description)
            case .missingCertificate: Refusal(403, "A client certificate is needed here.", routeIndex: self.routeIndex)
            case .forbidden(let why):
                self.told(
                    Refusal(403, "The credential does not allow this.", routeIndex: self.routeIndex), because: why)
            case .unverifiable(let why):
                self.told(
                    Refusal(
                        503, "Credentials cannot be verified.", cure: "Try again soon.", fields: ["Retry-After": "5"],
                        routeIndex: self.routeIndex), because: why)
            case .crowded:
                Refusal(
                    429, "Too many passwords are being verified.", cure: "Try again soon.",
                    fields: ["Retry-After": "1"], routeIndex: self.routeIndex)
            }
        refusal.isToHead = self.request.head.method == "HEAD"
        refusal.keepsClient = self.keepsClient && refusal.isAboutThisRequestAlone
        return refusal
    }

    /// What an auth service is asked about the request.
    ///
    /// - Parameter fields: those of the request as it came.
    public func question(_ fields: HTTPFields) -> AuthQuestion { AuthQuestion(about: self.request, fields) }

    /// The URL that the client asks for, without its token.
    var asked: String { self.request.url }

    /// What the client gets of an auth service that does not let the request in.
    ///
    /// A browser cannot follow a redirect in a handshake, so that of an upgrade becomes a 401, with its Location. A page's 401 becomes the way to
    /// sign in, where the route has one. The other kinds of credentials that the route takes are challenges, too.
    public func refusal(passingOn answer: Answer) -> Refusal {
        var answer = answer
        let status = answer.status
        if self.request.isUpgrade, 300..<400 ~= status { answer.become(401) }
        if answer.status == 401, let signIn = self.signIn {
            answer = answer.redirect(to: self.location(signIn))
        } else if answer.status == 401 {
            self.challenge(&answer)
        }
        var refusal = Refusal(ofAuthService: answer, status: status, routeIndex: self.routeIndex)
        refusal.isToHead = self.request.head.method == "HEAD"
        refusal.keepsClient = self.keepsClient
        return refusal
    }

    /// What the service says itself stands for `forward` (RFC 9110 section 11.6.1).
    private func challenge(_ answer: inout Answer) {
        let says = answer.fields.values("WWW-Authenticate")
        let others = says.isEmpty ? self.credentials.kinds : self.credentials.kinds.filter { !$0.isForward }
        for challenge in Challenge.values(others) where !says.contains(challenge) {
            answer.fields.append("WWW-Authenticate", challenge)
        }
    }

    /// 401, or 302 to where one signs in.
    private func unauthorized(_ wording: Wording, because why: String? = nil) -> Refusal {
        var refusal = Refusal(self.signIn == nil ? 401 : 302, wording, routeIndex: self.routeIndex)
        if let signIn = self.signIn {
            refusal.answer.fields.append("Location", self.location(signIn))
        } else {
            for challenge in Challenge.values(self.credentials.kinds) {
                refusal.answer.fields.append("WWW-Authenticate", challenge)
            }
        }
        return why.map { self.told(refusal, because: $0) } ?? refusal
    }

    /// The log has the reason, too. What a token says may be in it.
    private func told(_ refusal: Refusal, because why: String) -> Refusal {
        var refusal = refusal
        let sentence = refusal.detail.dropLast()
        refusal.explain("\(String(sentence)): \(reason: why).", cure: "")
        return refusal
    }

    /// The page to sign in on, with `rd`: where the client was going. That is always the host that it asked for, which the route serves.
    private func location(_ signIn: String) -> String {
        "\(signIn)\(signIn.contains("?") ? "&" : "?")rd=\(self.asked.percentEncoded)"
    }
}

extension AuthSettings {
    fileprivate var isForward: Bool {
        if case .forward = self { true } else { false }
    }
}

extension Answer {
    fileprivate mutating func become(_ status: Int) {
        self.status = status
        self.reason = reasonPhrase(ofStatus: status)
    }

    /// A redirect in place of this answer, with its cookies.
    fileprivate func redirect(to location: String) -> Answer {
        var fields: HTTPFields = ["Location": location]
        fields.append(self.fields) { $0.equalsIgnoringCase("Set-Cookie".utf8.span) }
        return Answer(status: 302, text: "Sign in first.\n", fields: fields)
    }
}

extension Demand: Equatable {
    /// Everything else follows from these.
    public static func == (one: Demand, other: Demand) -> Bool {
        one.shown == other.shown && one.routeIndex == other.routeIndex && one.request == other.request
    }
}

extension Admission.Decision {
    /// The decision once the credential is good.
    ///
    /// - Parameter fields: what that gives to the backend.
    public func granted(_ fields: HTTPFields) -> Admission.Decision {
        switch self {
        case .upgrade(var admitted):
            admitted.grantedFields = fields
            return .upgrade(admitted)
        case .pass(var request):
            request.grantedFields = fields
            return .pass(request)
        case .files(var request):
            request.isPrivate = true
            return .files(request)
        case .page, .answer, .events, .publish, .refused, .demands: return self
        }
    }
}
