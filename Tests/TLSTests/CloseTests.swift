import Testing

@testable import TLS

@Suite struct CloseTests {
    @Test(arguments: TLSVersion.allCases, Pieces.all)
    func closeNotifyEndsOneDirection(_ version: TLSVersion, _ pieces: Pieces) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: pieces)
        wire.connect()
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        wire.client.connection.closeNotify()
        wire.server.incoming += wire.client.takeOutput()
        wire.run()
        #expect(wire.server.received == [1, 2, 3])
        #expect(wire.server.state == .closed)
        #expect(wire.server.connection.endOfInput() == nil)

        // The other direction is still open.
        #expect(wire.server.send([4, 5], to: wire.client) == nil)
        wire.server.connection.closeNotify()
        wire.client.incoming += wire.server.takeOutput()
        wire.run()
        #expect(wire.client.received == [4, 5])
        #expect(wire.client.state == .closed)
        #expect(wire.client.connection.endOfInput() == nil)
        expectNoErrorsLeft()
    }

    @Test func aSecondCloseNotifySaysNothing() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        wire.client.connection.closeNotify()
        #expect(!wire.client.takeOutput().isEmpty)
        wire.client.connection.closeNotify()
        #expect(wire.client.takeOutput().isEmpty)
        #expect(wire.client.send([1], to: wire.server)?.kind == .protocolViolation)
        expectNoErrorsLeft()
    }

    @Test func whatFollowsACloseIsIgnored() throws {
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

    @Test func anEndWithoutCloseNotifyIsTold() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        #expect(
            wire.server.connection.endOfInput()
                == TLSError(.truncation, "the connection ended in the TLS handshake"))
        wire.connect()
        #expect(
            wire.server.connection.endOfInput()
                == TLSError(.truncation, "the connection ended without close_notify"))
    }

    @Test func nothingIsSentOrReadBeforeTheHandshake() throws {
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

    @Test func aHandshakeThatIsDoneStaysDone() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        let clientAgain = wire.client.connection.handshake(Span())
        #expect(clientAgain == .done)
        let serverAgain = wire.server.connection.handshake(Span())
        #expect(serverAgain == .done)
    }
}
