internal import DataPlane
internal import System
internal import TLS

/// A certificate that a listener or the admin address shows.
public struct CertificateRow: Equatable, Sendable {
    /// The address of the listener, or `admin`.
    public var listener: String
    /// The host names and IP addresses that it is for.
    public var names: [String]
    /// The end of its validity, in seconds since 1970.
    public var notAfter: Int64
    /// The distinguished name of the authority that signed it (RFC 4514).
    public var issuer: String
    /// The kind of its key, such as `RSA` or `ECDSA`.
    public var kind: String

    /// See the properties.
    public init(listener: String, names: [String], notAfter: Int64, issuer: String, kind: String) {
        self.listener = listener
        self.names = names
        self.notAfter = notAfter
        self.issuer = issuer
        self.kind = kind
    }
}

extension Serving {
    /// What clients are shown at the listeners, in their order, and at the admin address.
    var shown: [(place: String, settings: TLSServerSettings)] {
        let listeners = self.listeners.listeners.map { ($0.address.description, $0.tls?.settings) }
        return (listeners + [("admin", self.adminTLS)]).compactMap { place, settings in settings.map { (place, $0) } }
    }

    /// Their certificates.
    var certificates: [CertificateRow] {
        self.shown.flatMap { place, settings in
            settings.certificates.map {
                CertificateRow(
                    listener: place, names: $0.names, notAfter: $0.notAfter, issuer: $0.issuer, kind: $0.keyKind)
            }
        }
    }
}
