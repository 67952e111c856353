import Testing

@testable import TLS

@Suite struct HandshakeTests {
    @Test(arguments: TLSVersion.allCases, Pieces.all)
    func handshakeCompletes(_ version: TLSVersion, _ pieces: Pieces) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: pieces)
        wire.connect()
        #expect(wire.client.handshake == .done)
        #expect(wire.server.handshake == .done)
        #expect(wire.client.connection.version == "TLSv\(version.rawValue)")
        #expect(wire.server.connection.version == "TLSv\(version.rawValue)")
    }
}
