@testable import TLS

/// Certificates and contexts for the tests.
enum Fixture {
    static let day = 86_400

    /// An authority that the clients trust.
    static let authority = certify(.authority, "Test Authority")
    static let otherAuthority = certify(.authority, "Other Authority")
    static let localhost = certify(.server, "localhost", names: ["localhost", "127.0.0.1", "::1"], by: authority)

    static func certify(
        _ purpose: CertificateTemplate.Purpose, _ commonName: String, names: [String] = [],
        by issuer: Certificate? = nil, until: Int = day
    ) -> Certificate {
        let template = CertificateTemplate(purpose: purpose, names: names, commonName: commonName, validUntil: until)
        return try! template.issue(by: issuer)
    }

    static func server(
        _ certificates: [Certificate] = [localhost], identity: String = "127.0.0.1:8443", minimum: TLSVersion = .v1_2,
        clients: Certificate? = nil, tickets: TicketKeys = TicketKeys()
    ) throws -> TLSServerContext {
        let settings = TLSServerSettings(
            identity: identity, certificates: certificates, minimum: minimum,
            clientAuthorities: clients.map { TrustedAuthorities(certificates: $0.chain) })
        return try TLSServerContext(settings, io: TLSIO(), tickets: tickets)
    }

    static func client(
        trusting authorities: Certificate? = authority, verify: Bool = true, http: Bool = false,
        certificate: Certificate? = nil, maximum: TLSVersion = .v1_3
    ) throws -> TLSClientContext {
        var settings = TLSClientSettings(
            authorities: authorities.map { TrustedAuthorities(certificates: $0.chain) }, verify: verify,
            offersHTTP: http, certificate: certificate)
        settings.maximum = maximum
        return try TLSClientContext(settings, io: TLSIO())
    }
}
