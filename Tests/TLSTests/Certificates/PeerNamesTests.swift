import Testing

@testable import TLS

struct PeerNamesTests {
    private static func names(_ pem: String) throws -> PeerNames {
        let der = try PEM.certificates(Array(pem.utf8), name: "test")
        defer { expectNoErrorsLeft() }
        return PeerNames(try ParsedCertificate(der: der[0]))
    }

    /// `/C=DE/O=Zoë, Inc./CN=first/CN=Device 1`, with two DNS names, a URI, an address and an e-mail address.
    @Test func `a certificate's names are read as they are written`() throws {
        let names = try Self.names(Self.manyNames)
        #expect(names.subject == #"CN=Device 1,CN=first,O=Zoë\, Inc.,C=DE"#)
        #expect(names.commonName == "Device 1")
        #expect(
            names.alternativeNames
                == .init(
                    hosts: ["Device-1.example.com", "two.example.com"], uris: ["spiffe://example.com/device"]))
    }

    @Test func `without a subjectAltName there is the common name`() throws {
        let names = try Self.names(Self.commonName)
        #expect(names.subject == "CN=Device 2,O=Only")
        #expect(names.commonName == "Device 2")
        #expect(names.alternativeNames == nil)
    }

    @Test func `a subjectAltName without hosts and URIs is there, and empty`() throws {
        let names = try Self.names(Self.address)
        #expect(names.commonName == nil)
        #expect(names.alternativeNames == .init(hosts: [], uris: []))
    }

    @Test(arguments: TLSVersion.allCases)
    func `a connection has the names of its client, also when it is resumed`(_ version: TLSVersion) throws {
        let certificate = Fixture.certify(.client, "device 7", names: ["device-7.example.com"], by: Fixture.authority)
        for isResumed in [false, true] {
            let client = try Fixture.client(certificate: certificate, maximum: version)
            let server = try Fixture.server(clients: Fixture.authority)
            if isResumed { #expect(try !ResumptionTests().connect(client, server)) }
            var wire = try Wire(client, server)
            #expect(wire.server.connection.peerNames == nil)
            wire.connect()
            #expect(wire.server.connection.wasResumed == isResumed)
            #expect(wire.server.connection.peerNames?.commonName == "device 7")
            #expect(wire.server.connection.peerNames?.alternativeNames?.hosts == ["device-7.example.com"])
        }
    }

    @Test func `a client without a certificate has no names`() throws {
        var wire = try Wire(try Fixture.client(), try Fixture.server())
        wire.connect()
        #expect(wire.server.connection.peerNames == nil)
        #expect(wire.client.connection.peerNames?.alternativeNames?.hosts == ["localhost"])
    }

    private static let manyNames = """
        -----BEGIN CERTIFICATE-----
        MIICPzCCAeWgAwIBAgIUKWQidcVInctAS57kCmidRgaYwxIwCgYIKoZIzj0EAwIw
        RTELMAkGA1UEBhMCREUxEzARBgNVBAoMClpvw6ssIEluYy4xDjAMBgNVBAMMBWZp
        cnN0MREwDwYDVQQDDAhEZXZpY2UgMTAgFw0yNjExMjkxMTU4MTVaGA8yMTI2MTEw
        NTExNTgxNVowRTELMAkGA1UEBhMCREUxEzARBgNVBAoMClpvw6ssIEluYy4xDjAM
        BgNVBAMMBWZpcnN0MREwDwYDVQQDDAhEZXZpY2UgMTBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABLOeeTH8EL/ZUyqvr48leiGI10u4IvOgjDWCpGcPhaHRj66ANEt+
        hXdFyxea+bx7a2Uxr87jrdKU8gdrvH++bh6jgbAwga0wHQYDVR0OBBYEFBhL2ht1
        8J9TtvgZRQ2XPKqRAEHBMB8GA1UdIwQYMBaAFBhL2ht18J9TtvgZRQ2XPKqRAEHB
        MA8GA1UdEwEB/wQFMAMBAf8wWgYDVR0RBFMwUYIURGV2aWNlLTEuZXhhbXBsZS5j
        b22GG3NwaWZmZTovL2V4YW1wbGUuY29tL2RldmljZYcECgAAAYEFYUBiLmOCD3R3
        by5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNIADBFAiApf+1qksXVew/wzNiob7Mt
        1mYjVm4YumSVquMrrEdQqAIhAK6N3ur3I/RJbIUjBoSBrZaHImsrP5fBvX6xBXPG
        lpV2
        -----END CERTIFICATE-----
        """

    private static let commonName = """
        -----BEGIN CERTIFICATE-----
        MIIBmjCCAUGgAwIBAgIUH0IsCM/DdwCjYfGmRJx8/oLt2ckwCgYIKoZIzj0EAwIw
        IjENMAsGA1UECgwET25seTERMA8GA1UEAwwIRGV2aWNlIDIwIBcNMjYxMTI5MTE1
        ODE1WhgPMjEyNjExMDUxMTU4MTVaMCIxDTALBgNVBAoMBE9ubHkxETAPBgNVBAMM
        CERldmljZSAyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEO7KursvRtfiz1v2E
        chiSGQH7vsFRalvZDZ/gFfmP0nw0Iyo4uer8yGavyLCqlJi5mAhjUntO3xHWcUa9
        wnp696NTMFEwHQYDVR0OBBYEFASrOxtqhwRoST+P8QCxmkxLSaBsMB8GA1UdIwQY
        MBaAFASrOxtqhwRoST+P8QCxmkxLSaBsMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
        zj0EAwIDRwAwRAIgNDDvznvFoDSjYt7NWQW5VnmTNYvPIW/03dw6MAB3wXcCICEQ
        0kkJSdnjk5HKOc3PMXhzheKCJggwU3ZARXjwjoKH
        -----END CERTIFICATE-----
        """

    private static let address = """
        -----BEGIN CERTIFICATE-----
        MIIBhjCCASygAwIBAgIULKaLKP2oxwjF2SOoRfc6gVtkzCIwCgYIKoZIzj0EAwIw
        DzENMAsGA1UECgwET25seTAgFw0yNjExMjkxMTU4MTVaGA8yMTI2MTEwNTExNTgx
        NVowDzENMAsGA1UECgwET25seTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOFS
        Xmsb6fGIEuDA2iQmJAdSyxFUxXmb1sxH8OCrfc/bGLYbWleCTq6Rf8NBPx6qb7Fl
        +q/wlXJ/PBQJzYbwzFGjZDBiMB0GA1UdDgQWBBRxW1Um9x8kr06/YfXMWD9NbXsY
        8zAfBgNVHSMEGDAWgBRxW1Um9x8kr06/YfXMWD9NbXsY8zAPBgNVHRMBAf8EBTAD
        AQH/MA8GA1UdEQQIMAaHBAoAAAEwCgYIKoZIzj0EAwIDSAAwRQIhAJffCHNfWreT
        IWsOwxdeVX4AAgkBKCC4sNP5IRfBo8MbAiBTbBc/aUsC4lbEZ52KPXi+Wc7LIoym
        L3Q1SFqzyAg65w==
        -----END CERTIFICATE-----
        """
}
