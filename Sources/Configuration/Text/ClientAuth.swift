/// `client-auth` of a listener's `tls`: whether clients must show a certificate.
public enum ClientAuth: String, CaseIterable, Sendable {
    /// A client without one is refused in the TLS handshake.
    case required
    /// A client may show none. One that it shows must be good.
    case optional
}
