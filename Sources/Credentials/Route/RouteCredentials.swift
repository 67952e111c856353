public import Configuration
public import HTTP1

/// The credentials that a route takes: which of them a request shows, and what others see of the request without them.
public struct RouteCredentials: Sendable {
    /// What a request shows, and the place among the route's kinds of the one that decides.
    public enum Shown: Equatable, Sendable {
        /// A token: `TokenCheck` knows what it is worth.
        case token(String, kind: Int)
        /// A user and a password: `PasswordFile` knows what they are worth.
        case password(BasicCredential, kind: Int)
        /// The certificate of the connection: `CertificateCheck` knows what it is worth.
        case certificate(kind: Int)
        /// All that there is: the auth service of `forward` has to be asked.
        case forward(kind: Int)
        /// A credential that cannot be read: 401.
        case refused(Flaw)
        /// None, and one that a client can send would do: 401.
        case missing
        /// None, and only a certificate would do, which no answer can ask for: 403.
        case missingCertificate
    }

    /// The route's kinds, in their order.
    public let kinds: [AuthSettings]
    /// The fields that no client can send itself.
    public let sentFields: SentFields
    /// For the kinds that are tokens.
    private let searches: [TokenSearch?]

    /// - Parameter kinds: `auth` of the route. Not empty.
    public init(_ kinds: [AuthSettings]) {
        self.kinds = kinds
        self.sentFields = SentFields(kinds)
        self.searches = kinds.map { kind in
            if case .jwt(let settings) = kind { TokenSearch(settings.token) } else { nil }
        }
    }

    /// What a request shows: the first kind of which a credential was sent decides, whatever that is worth.
    ///
    /// - Parameters:
    ///   - fields: those of the request.
    ///   - target: the request's target.
    ///   - hasCertificate: The client has shown a certificate, and it was verified.
    public func shown(fields: HTTPFields, target: String, hasCertificate: Bool) -> Shown {
        for (index, kind) in self.kinds.enumerated() {
            switch kind {
            case .jwt:
                switch self.searches[index]?.token(fields: fields, target: target) {
                case .token(let token, _): return .token(token, kind: index)
                case .refused(let flaw): return .refused(flaw)
                case .absent, nil: break
                }
            case .basic:
                switch BasicCredential.find(in: fields) {
                case .credential(let credential): return .password(credential, kind: index)
                case .refused(let flaw): return .refused(flaw)
                case .absent: break
                }
            case .certificate: if hasCertificate { return .certificate(kind: index) }
            // It counts as sent always.
            case .forward: return .forward(kind: index)
            }
        }
        return Challenge.values(self.kinds).isEmpty ? .missingCertificate : .missing
    }

    /// A request's target without the parameters that tokens are looked for in.
    public func cleaned(target: String) -> String {
        self.searches.reduce(target) { target, search in search?.cleaned(target: target) ?? target }
    }

    /// What a client offers as subprotocols without its token; `nil`: no kind looks there, and all offers are the backend's.
    public func offer(_ offers: [String]) -> SubprotocolOffer? {
        self.looksAtSubprotocols ? SubprotocolOffer(offers) : nil
    }

    /// Whether a kind looks for tokens there.
    public var looksAtSubprotocols: Bool { self.searches.contains { $0?.looksAtSubprotocols == true } }

    /// Whether a certificate is one of the kinds.
    public var asksForCertificates: Bool {
        self.kinds.contains { kind in
            if case .certificate = kind { true } else { false }
        }
    }
}
