import Testing

@testable import TLS

@Suite struct CertificateTests {
    /// Base64 (RFC 4648 section 4) in lines of 64 characters, between PEM's marks.
    static func pem(_ label: String, _ der: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = Array("-----BEGIN \(label)-----\n".utf8)
        var column = 0
        for start in stride(from: 0, to: der.count, by: 3) {
            let group = der[start..<min(start + 3, der.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
            column += 4
            if column == 64 {
                text.append(UInt8(ascii: "\n"))
                column = 0
            }
        }
        if column > 0 { text.append(UInt8(ascii: "\n")) }
        return text + Array("-----END \(label)-----\n".utf8)
    }

    static func chain(_ certificate: Certificate) -> [UInt8] {
        certificate.chain.flatMap { Self.pem("CERTIFICATE", $0) }
    }

    static func key(_ certificate: Certificate) -> [UInt8] { Self.pem("EC PRIVATE KEY", certificate.key) }

    /// The error for two texts.
    static func mistake(_ chain: [UInt8], _ key: [UInt8]) -> String? {
        do {
            _ = try Certificate(chainPEM: chain, keyPEM: key, chainName: "site.pem", keyName: "site.key")
            return nil
        } catch {
            #expect(error.kind == .configuration)
            expectNoErrorsLeft()
            return error.text
        }
    }

    @Test func `certificates and keys are read back as written`() throws {
        let intermediate = Fixture.certify(.authority, "Intermediate", by: Fixture.authority)
        let chain = Self.chain(Fixture.localhost) + Array("a remark\n".utf8) + Self.chain(intermediate)
        let certificate = try Certificate(
            chainPEM: chain, keyPEM: Self.key(Fixture.localhost), chainName: "a", keyName: "b")
        #expect(certificate.chain == Fixture.localhost.chain + intermediate.chain)
        #expect(certificate.key == Fixture.localhost.key)
        #expect(certificate.names == ["localhost", "127.0.0.1", "::1"])
        #expect(certificate.description == "certificate for localhost, 127.0.0.1, ::1")
        var wire = try Wire(Fixture.client(), Fixture.server([certificate]))
        wire.connect()
        #expect(wire.client.handshake == .done)
        expectNoErrorsLeft()
    }

    @Test func `one text may hold certificate and key`() throws {
        let both = Self.key(Fixture.localhost) + Self.chain(Fixture.localhost)
        #expect(Self.mistake(both, both) == nil)
    }

    @Test func `an error names the text and the mistake`() {
        let chain = Self.chain(Fixture.localhost)
        let key = Self.key(Fixture.localhost)
        #expect(Self.mistake([], key) == "site.pem: no certificate in it")
        #expect(Self.mistake(key, key) == "site.pem: no certificate in it")
        #expect(Self.mistake(chain, []) == "site.key: no private key in it")
        #expect(Self.mistake(chain, chain) == "site.key: no private key in it")
        #expect(
            Self.mistake(chain, Self.key(Fixture.authority))
                == "site.key: the key does not match the first certificate of site.pem")
        let unusable = "site.key: the private key is encrypted; store it without a password"
        #expect(Self.mistake(chain, Array(Self.encryptedKey.utf8)) == unusable)
        #expect(Self.mistake(chain, Array(Self.encryptedOldKey.utf8)) == unusable)
    }

    @Test func `an error names the damaged part`() throws {
        let chain = Self.chain(Fixture.localhost)
        let key = Self.key(Fixture.localhost)
        for (damaged, name) in [
            (Array(chain.dropLast(30)), "cut"), (Self.pem("CERTIFICATE", [1, 2, 3]), "no certificate"),
            (Array("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".utf8), "no base 64"),
        ] {
            let first = try #require(Self.mistake(damaged, key), "\(name)")
            #expect(first.hasPrefix("site.pem: certificate 1 is damaged: "))
            let second = try #require(Self.mistake(chain + damaged, key), "\(name)")
            #expect(second.hasPrefix("site.pem: certificate 2 is damaged: "))
        }
        let damagedKey = try #require(Self.mistake(chain, Self.pem("EC PRIVATE KEY", [1, 2, 3])))
        #expect(damagedKey.hasPrefix("site.key: the private key is damaged: "))
    }

    @Test func `authorities are read from text`() throws {
        let text = Self.chain(Fixture.authority) + Self.chain(Fixture.otherAuthority)
        let authorities = try TrustedAuthorities(pem: text, name: "ca.pem")
        #expect(authorities.certificates == Fixture.authority.chain + Fixture.otherAuthority.chain)
        #expect(throws: TLSError(.configuration, "ca.pem: no certificate in it")) {
            try TrustedAuthorities(pem: [], name: "ca.pem")
        }
        // The same authority twice is one.
        var wire = try Wire(
            TLSClientContext(
                TLSClientSettings(authorities: TrustedAuthorities(pem: text + text, name: "ca.pem")), io: TLSIO()),
            Fixture.server())
        wire.connect()
        #expect(wire.client.handshake == .done)
    }

    @Test func `without other names the common name counts`() {
        #expect(Fixture.certify(.server, "Old.Example").names == ["old.example"])
        #expect(Fixture.certify(.server, "Other", names: ["A.example"]).names == ["a.example"])
    }

    @Test func `a self-signed certificate is for its names`() throws {
        let long = String(repeating: "a", count: 60) + ".example.com"
        let certificate = try Certificate.selfSigned(names: [long, "a,DNS:b"])
        #expect(certificate.names == [long, "a,dns:b"])
        #expect(try Certificate.selfSigned(names: ["a"]) != Certificate.selfSigned(names: ["a"]))
        for names in [[], [""], ["a b"], ["ä.example"], [String(repeating: "a", count: 254)]] {
            #expect(throws: TLSError.self) { try Certificate.selfSigned(names: names) }
            expectNoErrorsLeft()
        }
    }

    @Test func `a listener needs a certificate`() {
        #expect(throws: TLSError(.configuration, "a listener with TLS needs a certificate")) { try Fixture.server([]) }
    }

    @Test func `damaged bytes make no context`() {
        let broken = Certificate(chain: [[1, 2]], key: [3], copyOf: Fixture.localhost)
        #expect(throws: TLSError.self) { try Fixture.server([broken]) }
        let keyless = Certificate(chain: Fixture.localhost.chain, key: [3], copyOf: Fixture.localhost)
        #expect(throws: TLSError.self) { try Fixture.server([keyless]) }
        let mixed = Certificate(chain: Fixture.localhost.chain, key: Fixture.authority.key, copyOf: Fixture.localhost)
        #expect(throws: TLSError.self) { try Fixture.server([mixed]) }
        expectNoErrorsLeft()
    }

    // A key made for this test, with the password "secret".
    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAifWYp4mjrmeAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECo5NKBmmUyMqYOccAgaNmgEQNyD
        g3An5S9/pFOIFzpTXDOY2pkK1BUX1e3M6NA38BbIIR9QrR4fDhtWQBB2ZR23IGt0
        QyK6QwomBgshmlAdpRg=
        -----END ENCRYPTED PRIVATE KEY-----

        """
    static let encryptedOldKey = """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,F2380D4FCA06CE57E2AEA2B6E2F7FF14

        n/lQxecv961lt/nxLpJpUDMpgztB/pMJewW7BC8+6iaoskUcC/IcowLP2fHqndS9
        cX9PTXhT77KIXSbG07utenjhCmW5psRrrGEojmn8lRwpH2qFFMgJ7BN+Kq8+LopY
        3S9RfPCjGzuhiDR9/nSo96mE59U0iaDSLKenbKpJlJE=
        -----END EC PRIVATE KEY-----

        """
}

extension Certificate {
    /// A certificate of arbitrary bytes.
    init(chain: [[UInt8]], key: [UInt8], copyOf other: Certificate) {
        self.init(chain: chain, key: key, leaf: try! ParsedCertificate(der: other.chain[0]))
    }
}
