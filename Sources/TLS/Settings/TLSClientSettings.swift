/// The settings of TLS towards a backend's endpoints.
public struct TLSClientSettings: Sendable, Hashable {
    /// The authorities that endpoints' certificates must come from; `nil` for the system's.
    var authorities: TrustedAuthorities?
    /// Check the endpoint's certificate and name.
    public var verify: Bool
    /// Offer `http/1.1` by ALPN: for WebSocket endpoints, not for raw TCP.
    public var offersHTTP: Bool
    /// Shown to endpoints that ask for a certificate.
    public var certificate: Certificate?
    /// Remember sessions for the next connection to the same name.
    public var resume: Bool
    /// The newest version to speak.
    var maximum = TLSVersion.v1_3

    /// By default as for a TCP endpoint: verified against the system's authorities, without ALPN.
    public init(
        authorities: TrustedAuthorities? = nil, verify: Bool = true, offersHTTP: Bool = false,
        certificate: Certificate? = nil, resume: Bool = true
    ) {
        self.authorities = authorities
        self.verify = verify
        self.offersHTTP = offersHTTP
        self.certificate = certificate
        self.resume = resume
    }
}
