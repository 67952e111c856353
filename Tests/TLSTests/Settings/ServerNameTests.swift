import Glibc
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
    func `the certificate is chosen by name`(_ name: String, _ subject: String) throws {
        for version in TLSVersion.allCases {
            let server = try Fixture.server([Fixture.localhost, Self.site, Self.wild, Self.old])
            var wire = try Wire(Fixture.client(verify: false, maximum: version), server, name: name)
            wire.connect()
            #expect(wire.server.handshake == .done)
            #expect(wire.client.connection.peerName == "\(subject)")
            #expect(wire.server.connection.serverName == name)
            #expect(wire.server.connection.peerName == nil)
        }
    }

    @Test func `a client without a name gets the default`() throws {
        for name in [nil, "127.0.0.1", "::1"] {
            var wire = try Wire(Fixture.client(verify: false), Fixture.server([Self.old, Self.site]), name: name)
            wire.connect()
            #expect(wire.client.connection.peerName == "old.example")
            #expect(wire.server.connection.serverName == nil)
        }
    }

    @Test func `client certificates are demanded under every name`() throws {
        let server = try Fixture.server([Fixture.localhost, Self.site], clients: Fixture.authority)
        var wire = try Wire(Fixture.client(verify: false), server, name: "site.example")
        wire.connect()
        #expect(wire.server.handshake != .done)
    }

    @Test(arguments: [
        ("a.example", 0), ("A.EXAMPLE", 0), ("a.example.", 0), ("b.example", 1), ("x.example", 2), ("x.y.example", 0),
        ("", 0), (".", 0), (".example", 0), ("example", 0), ("*.example", 2),
    ])
    func `an exact name wins over a wildcard and a wildcard over the default`(_ name: String, _ index: Int) {
        let names = self.names([
            (["a.example"], .ecdsa), (["B.example", "a.example"], .ecdsa), (["*.example"], .ecdsa),
            (["*.EXAMPLE", "b.example"], .ecdsa),
        ])
        #expect(names.groups[names.group(for: name)] == [index])
        #expect(
            names.shadowed == [
                .init(index: 1, name: "a.example", by: 0), .init(index: 3, name: "*.example", by: 2),
                .init(index: 3, name: "b.example", by: 1),
            ])
    }

    @Test func `a name ends with the first of the certificates that are shown for it`() throws {
        let day = Int64(Fixture.day)
        func certify(_ names: [String], days: Int64) -> Certificate {
            Fixture.certify(.server, names.first ?? "", names: names, by: Fixture.authority, until: Int(days * day))
        }
        let settings = TLSServerSettings(
            identity: "",
            certificates: [certify(["a", "b"], days: 3), certify(["b", "c"], days: 2), certify(["d"], days: -1)])
        let days = settings.expiries.mapValues { Int((Double($0 - Int64(time(nil))) / Double(day)).rounded()) }
        #expect(days == ["a": 3, "b": 3, "c": 2, "d": -1])
    }

    private func names(_ certificates: [(names: [String], kind: Certificate.Kind)]) -> ServerNames {
        ServerNames(certificates.map { ServerNames.Entry(names: $0.names, kind: $0.kind) })
    }

    @Test(arguments: [
        ("a.example", [0, 2]), ("b.example", [1, 2, 3]), ("x.example", [4]), ("c.example", [2]), ("d.example", [5]),
        ("other", [0, 2]),
    ])
    func `a name has one certificate of each kind`(_ name: String, _ group: [Int]) {
        let names = self.names([
            (["a.example"], .rsa), (["b.example"], .rsa), (["c.example", "A.example", "b.example"], .ecdsa),
            (["b.example"], .other(1)), (["*.example"], .ecdsa), (["d.example", "d.example"], .rsa),
        ])
        #expect(names.groups[names.group(for: name)] == group)
        #expect(names.shadowed == [])
        #expect(Set(names.groups).count == names.groups.count)
    }

    @Test func `a certificate is a default only if it has all names of the first`() {
        #expect(self.names([(["a", "b"], .rsa), (["a"], .ecdsa)]).groups[0] == [0])
        #expect(self.names([(["a"], .rsa), (["b", "a"], .ecdsa)]).groups[0] == [0, 1])
        #expect(self.names([([], .rsa), (["b"], .ecdsa)]).groups[0] == [0])
        #expect(Fixture.localhost.kind == .ecdsa)
        #expect("\(Certificate.Kind.rsa), \(Certificate.Kind.ecdsa)" == "RSA, ECDSA")
    }

    @Test func `the client's offer is answered`() throws {
        for (http, chosen) in [(true, "http/1.1"), (false, nil)] {
            var wire = try Wire(Fixture.client(http: http), Fixture.server())
            wire.connect()
            #expect(wire.server.connection.applicationProtocol == chosen)
            #expect(wire.client.connection.applicationProtocol == chosen)
        }
    }

    @Test(arguments: [["h2", "http/1.1"], ["http/1.1", "h2"]])
    func `http/1.1 is chosen among others`(_ offer: [String]) throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.client.connection.offer(offer)
        wire.connect()
        #expect(wire.server.connection.applicationProtocol == "http/1.1")
    }

    @Test(arguments: [["h2"], ["http/1.0"], ["http/1", "http/1.10", "h2"]])
    func `a client that offers only others is refused`(_ offer: [String]) throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.client.connection.offer(offer)
        wire.connect()
        #expect(wire.server.handshake == .failed(TLSError(.protocolViolation, "no application protocol")))
        #expect(wire.client.handshake == .failed(TLSError(.alert, "the peer's alert: no application protocol")))
    }
}
