import Testing

@testable import TLS

@Suite struct ServerNameTests {
    static let site = Fixture.certify(
        .server, "site", names: ["site.example", "www.site.example"], by: Fixture.authority)
    static let wild = Fixture.certify(.server, "wild", names: ["*.site.example"], by: Fixture.authority)
    static let old = Fixture.certify(.server, "old.example", by: Fixture.authority)

    @Test(arguments: [
        ("site.example", "site"), ("SITE.example", "site"), ("www.site.example", "site"), ("a.site.example", "wild"),
        ("old.example", "old.example"), ("localhost", "localhost"), ("unknown.example", "localhost"),
        ("a.b.site.example", "localhost"),
    ])
    func certificateIsChosenByName(_ name: String, _ subject: String) throws {
        for version in TLSVersion.allCases {
            let server = try Fixture.server([Fixture.localhost, Self.site, Self.wild, Self.old])
            var wire = try Wire(Fixture.client(verify: false, maximum: version), server, name: name)
            wire.connect()
            #expect(wire.server.handshake == .done)
            #expect(wire.client.connection.peerCertificateSubject == "CN=\(subject)")
            #expect(wire.server.connection.serverName == name)
            #expect(wire.server.connection.peerCertificateSubject == nil)
        }
    }

    @Test func noNameGetsTheDefault() throws {
        for name in [nil, "127.0.0.1", "::1"] {
            var wire = try Wire(Fixture.client(verify: false), Fixture.server([Self.old, Self.site]), name: name)
            wire.connect()
            #expect(wire.client.connection.peerCertificateSubject == "CN=old.example")
            #expect(wire.server.connection.serverName == nil)
        }
    }

    @Test func clientCertificatesAreDemandedUnderEveryName() throws {
        let server = try Fixture.server([Fixture.localhost, Self.site], clients: Fixture.authority)
        var wire = try Wire(Fixture.client(verify: false), server, name: "site.example")
        wire.connect()
        #expect(wire.server.handshake != .done)
    }

    @Test(arguments: [
        ("a.example", 0), ("A.EXAMPLE", 0), ("a.example.", 0), ("b.example", 1), ("x.example", 2), ("x.y.example", 0),
        ("", 0), (".", 0), (".example", 0), ("example", 0), ("*.example", 2),
    ])
    func firstExactThenWildcardThenDefault(_ name: String, _ index: Int) {
        let names = ServerNames([
            ["a.example"], ["B.example", "a.example"], ["*.example"], ["*.EXAMPLE", "b.example"],
        ])
        #expect(names.index(for: name) == index)
    }

    @Test func theClientsOfferIsAnswered() throws {
        for (http, chosen) in [(true, "http/1.1"), (false, nil)] {
            var wire = try Wire(Fixture.client(http: http), Fixture.server())
            wire.connect()
            #expect(wire.server.connection.applicationProtocol == chosen)
            #expect(wire.client.connection.applicationProtocol == chosen)
        }
    }

    @Test(arguments: [["h2", "http/1.1"], ["http/1.1", "h2"]])
    func oursIsTakenAmongOthers(_ offer: [String]) throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.client.connection.offer(offer)
        wire.connect()
        #expect(wire.server.connection.applicationProtocol == "http/1.1")
    }

    @Test(arguments: [["h2"], ["http/1.0"], ["http/1", "http/1.10", "h2"]])
    func aClientThatOffersOthersOnlyIsRefused(_ offer: [String]) throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.client.connection.offer(offer)
        wire.connect()
        #expect(wire.server.handshake == .failed(TLSError(.protocolViolation, "no application protocol")))
        #expect(wire.client.handshake == .failed(TLSError(.alert, "the peer's alert: no application protocol")))
    }
}
