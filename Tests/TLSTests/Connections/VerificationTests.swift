import Testing

@testable import TLS

@Suite struct VerificationTests {
    @Test(arguments: ["localhost", "LOCALHOST", "127.0.0.1", "::1"])
    func `a good certificate is accepted`(_ name: String) throws {
        var wire = try Wire(Fixture.client(), Fixture.server(), name: name)
        wire.connect()
        #expect(wire.client.handshake == .done)
        #expect(wire.server.handshake == .done)
    }

    @Test func `without a name the authority is still checked`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server(), name: nil)
        wire.connect()
        #expect(wire.client.handshake == .done)
        wire = try Wire(Fixture.client(trusting: Fixture.otherAuthority), Fixture.server(), name: nil)
        wire.connect()
        #expect(wire.client.handshake != .done)
    }

    @Test(arguments: TLSVersion.allCases)
    func `bad certificates are refused`(_ version: TLSVersion) throws {
        let expired = Fixture.certify(.server, "x", names: ["localhost"], by: Fixture.authority, until: -3600)
        let client = Fixture.certify(.client, "x", names: ["localhost"], by: Fixture.authority)
        let selfSigned = try Certificate.selfSigned(names: ["localhost"])
        let wildcard = Fixture.certify(.server, "x", names: ["*.example.com"], by: Fixture.authority)
        let cases: [(Certificate, String, String)] = [
            (Fixture.localhost, "example.com", "hostname mismatch"),
            (Fixture.localhost, "127.0.0.2", "IP address mismatch"),
            (expired, "localhost", "certificate has expired"),
            (client, "localhost", "unsuitable certificate purpose"),
            (selfSigned, "localhost", "self-signed certificate"),
            (wildcard, "a.b.example.com", "hostname mismatch"),
            (wildcard, "example.com", "hostname mismatch"),
        ]
        for (certificate, name, reason) in cases {
            var wire = try Wire(Fixture.client(maximum: version), Fixture.server([certificate]), name: name)
            wire.connect()
            #expect(
                wire.client.handshake == .failed(TLSError(.verification, "certificate verify failed: \(reason)")))
            guard case .failed(let error) = wire.server.handshake else {
                Issue.record("the server did not notice")
                continue
            }
            #expect(error.kind == .alert)
            expectNoErrorsLeft()
        }
    }

    @Test func `an unknown authority is refused`() throws {
        var wire = try Wire(Fixture.client(trusting: Fixture.otherAuthority), Fixture.server())
        wire.connect()
        #expect(
            wire.client.handshake
                == .failed(
                    TLSError(.verification, "certificate verify failed: unable to get local issuer certificate")))
        #expect(wire.server.handshake == .failed(TLSError(.alert, "the peer's alert: unknown CA")))
    }

    @Test func `the system's authorities do not know a test authority`() throws {
        var wire = try Wire(Fixture.client(trusting: nil), Fixture.server())
        wire.connect()
        #expect(wire.client.handshake != .done)
    }

    @Test func `without verification anything is accepted`() throws {
        let expired = Fixture.certify(.server, "x", until: -3600)
        var wire = try Wire(Fixture.client(trusting: nil, verify: false), Fixture.server([expired]))
        wire.connect()
        #expect(wire.client.handshake == .done)
    }

    @Test func `a self-signed certificate is its own authority`() throws {
        let certificate = try Certificate.selfSigned(names: ["gateway.test", "10.0.0.1", "fd00::1", "*.gateway.test"])
        #expect(certificate.names == ["gateway.test", "10.0.0.1", "fd00::1", "*.gateway.test"])
        for name in ["gateway.test", "10.0.0.1", "fd00::1", "a.gateway.test"] {
            var wire = try Wire(Fixture.client(trusting: certificate), Fixture.server([certificate]), name: name)
            wire.connect()
            #expect(wire.client.handshake == .done)
        }
    }

    @Test func `an intermediate authority leads to its root`() throws {
        let intermediate = Fixture.certify(.authority, "Intermediate", by: Fixture.authority)
        let leaf = Fixture.certify(.server, "leaf", names: ["localhost"], by: intermediate)
        let chained = Certificate(
            chain: leaf.chain + intermediate.chain, key: leaf.key, leaf: try ParsedCertificate(der: leaf.chain[0]))
        var wire = try Wire(Fixture.client(), Fixture.server([chained]))
        wire.connect()
        #expect(wire.client.handshake == .done)
        wire = try Wire(Fixture.client(), Fixture.server([leaf]))
        wire.connect()
        #expect(wire.client.handshake != .done)
        wire = try Wire(Fixture.client(trusting: intermediate), Fixture.server([leaf]))
        wire.connect()
        #expect(wire.client.handshake == .done)
    }

    @Test(arguments: ["", "a\0b", String(repeating: "a", count: 300)])
    func `an invalid name is a configuration error`(_ name: String) throws {
        let client = try Fixture.client()
        #expect(throws: TLSError.self) { try client.makeConnection(serverName: name) }
        expectNoErrorsLeft()
    }

    @Test(arguments: TLSVersion.allCases)
    func `client certificates are demanded`(_ version: TLSVersion) throws {
        let good = Fixture.certify(.client, "device 7", by: Fixture.authority)
        let other = Fixture.certify(.client, "device 8", by: Fixture.otherAuthority)
        let server = try Fixture.server(clients: Fixture.authority)

        var wire = try Wire(Fixture.client(certificate: good, maximum: version), server)
        wire.connect()
        #expect(wire.server.handshake == .done)
        #expect(wire.server.connection.peerName == "device 7")

        wire = try Wire(Fixture.client(maximum: version), server)
        wire.connect()
        #expect(
            wire.server.handshake
                == .failed(TLSError(.verification, "peer did not return a certificate")))
        Self.expectAlert(wire.client, version == .v1_3 ? "certificate required" : "handshake failure")

        wire = try Wire(Fixture.client(certificate: other, maximum: version), server)
        wire.connect()
        guard case .failed(let error) = wire.server.handshake else {
            Issue.record("a certificate of another authority was accepted")
            return
        }
        #expect(error.kind == .verification)
        Self.expectAlert(wire.client, "unknown CA")
    }

    /// In TLS 1.3 the client's handshake is done before it learns that it was refused.
    ///
    /// - Parameter name: of the alert; `nil` is any.
    static func expectAlert(_ end: End, _ name: String? = nil, _ location: SourceLocation = #_sourceLocation) {
        let failure: TLSError
        if case .failed(let error) = end.handshake {
            failure = error
        } else if case .failed(let error) = end.state {
            failure = error
        } else {
            Issue.record("no alert came", sourceLocation: location)
            return
        }
        #expect(failure.kind == .alert, sourceLocation: location)
        if let name { #expect(failure.text == "the peer's alert: \(name)", sourceLocation: location) }
    }
}
