import Testing

@testable import TLS

@Suite struct HandshakeTests {
    @Test(arguments: TLSVersion.allCases, Pieces.all)
    func `a handshake completes however its bytes are cut`(_ version: TLSVersion, _ pieces: Pieces) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: pieces)
        wire.connect()
        #expect(wire.client.handshake == .done)
        #expect(wire.server.handshake == .done)
        #expect(wire.client.connection.version == "TLSv\(version.rawValue)")
        #expect(wire.server.connection.version == "TLSv\(version.rawValue)")
    }

    @Test(arguments: TLSVersion.allCases)
    func `a server makes two steps`(_ version: TLSVersion) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: .whole)
        #expect(wire.server.connection.handshakeSteps == 0)
        wire.connect()
        #expect(wire.server.connection.handshakeSteps == 2)
    }

    @Test func `steps are counted up to 255`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server(), pieces: .bytes)
        wire.connect()
        #expect(wire.server.handshake == .done)
        #expect(wire.server.connection.handshakeSteps == 255)
    }
}
