/// `certificate:` a client certificate.
public struct CertificateSettings: Equatable, Sendable {
    /// What `send` can put into a field.
    public enum Source: String, CaseIterable, Sendable {
        /// The distinguished name of the certificate's subject (RFC 4514).
        case subject
        /// The name that matched.
        case name
    }

    /// `names`: one of them must be in the certificate; empty: any certificate that the listener has verified will do.
    public var names: [CertificateName] = []
    /// `send`: what backends get.
    public var send: [SentField<Source>] = []

    /// Every key is absent.
    public init() {}
}
