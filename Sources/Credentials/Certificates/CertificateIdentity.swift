/// What a client's certificate, which was verified, says of its owner. The target `TLS` reads it off the certificate.
public struct CertificateIdentity: Equatable, Sendable {
    /// The names of a subjectAltName (RFC 5280 section 4.2.1.6).
    public struct AlternativeNames: Equatable, Sendable {
        /// `dNSName`, in their order.
        public var hosts: [String]
        /// `uniformResourceIdentifier`, in their order.
        public var uris: [String]

        /// Both may be empty: the extension may have others only.
        public init(hosts: [String], uris: [String]) {
            self.hosts = hosts
            self.uris = uris
        }
    }

    /// The distinguished name (RFC 4514).
    public var subject: String
    /// The last common name in it; `nil`: it has none.
    public var commonName: String?
    /// `nil`: the certificate has no such extension. Only then the common name counts.
    public var alternativeNames: AlternativeNames?

    /// As they are in the certificate.
    public init(subject: String, commonName: String?, alternativeNames: AlternativeNames?) {
        self.subject = subject
        self.commonName = commonName
        self.alternativeNames = alternativeNames
    }

    /// The names that count, in their order: hosts, then URIs.
    var names: [Name] {
        guard let alternatives = self.alternativeNames else { return self.commonName.map { [.common($0)] } ?? [] }
        return alternatives.hosts.map { .host($0) } + alternatives.uris.map { .uri($0) }
    }

    /// A name, and where it stands.
    enum Name {
        case host(String)
        case uri(String)
        case common(String)

        var text: String {
            switch self {
            case .host(let text), .uri(let text), .common(let text): text
            }
        }
    }
}
