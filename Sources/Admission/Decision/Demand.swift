internal import Configuration
public import Credentials
public import HTTP1

/// A request's credential, on which a decision depends, and the answers to one that is not good.
public struct Demand: Sendable {
    /// What it is: a token, a password or a certificate.
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
        let forwarded = self.request.forwarded
        let wanted = "\(forwarded.scheme.rawValue)://\(forwarded.place.text)\(self.request.target.original)"
        return "\(signIn)\(signIn.contains("?") ? "&" : "?")rd=\(wanted.percentEncoded)"
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
        case .page, .answer, .refused, .demands: return self
        }
    }
}
