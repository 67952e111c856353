import Testing

@testable import TLS

@Suite struct CloseTests {
    @Test(arguments: TLSVersion.allCases, Pieces.all)
    func `close_notify ends one direction`(_ version: TLSVersion, _ pieces: Pieces) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: pieces)
        wire.connect()
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        wire.client.connection.closeNotify()
        wire.server.incoming += wire.client.takeOutput()
        wire.run()
        #expect(wire.server.received == [1, 2, 3])
        #expect(wire.server.state == .closed)

        // The other direction is still open.
        #expect(wire.server.send([4, 5], to: wire.client) == nil)
        wire.server.connection.closeNotify()
        wire.client.incoming += wire.server.takeOutput()
        wire.run()
        #expect(wire.client.received == [4, 5])
        #expect(wire.client.state == .closed)
        expectNoErrorsLeft()
    }

    @Test func `a second close_notify sends nothing`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        wire.client.connection.closeNotify()
        #expect(!wire.client.takeOutput().isEmpty)
        wire.client.connection.closeNotify()
        #expect(wire.client.takeOutput().isEmpty)
        #expect(wire.client.send([1], to: wire.server)?.kind == .protocolViolation)
        expectNoErrorsLeft()
    }

    @Test func `bytes after close_notify are ignored`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        wire.client.connection.closeNotify()
        wire.server.incoming += wire.client.takeOutput() + [1, 2, 3, 4, 5]
        wire.run()
        #expect(wire.server.state == .closed)
        wire.server.receive([9, 9, 9].span)
        #expect(wire.server.state == .closed)
        #expect(wire.server.received.isEmpty)
    }

    @Test func `nothing is sent or read before the handshake`() throws {
        let connection = try Fixture.client().makeConnection(serverName: "localhost")
        #expect(connection.encrypt([1].span)?.kind == .configuration)
        var buffer = [UInt8](repeating: 0, count: 10)
        var span = buffer.mutableSpan
        guard case .failed(let error) = connection.decrypt(Span(), into: &span).state else {
            Issue.record("decrypted before the handshake")
            return
        }
        #expect(error.kind == .configuration)
        connection.closeNotify()
        connection.releaseBuffers()
        expectNoErrorsLeft()
    }

    @Test func `a handshake that is done stays done`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        let clientAgain = wire.client.connection.handshake(Span())
        #expect(clientAgain == .done)
        let serverAgain = wire.server.connection.handshake(Span())
        #expect(serverAgain == .done)
    }
}
