import Testing

@testable import TLS

@Suite struct HostilePeerTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http request"), ("SSH-2.0-OpenSSH_9.2\r\n", "wrong version number"),
        ("\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}", "wrong version number"),
    ])
    func `bytes that are not TLS are refused`(_ text: String, _ reason: String) throws {
        for pieces in Pieces.all {
            var wire = try Wire(Fixture.client(), Fixture.server(), pieces: pieces)
            wire.server.incoming = Array(text.utf8)
            wire.run()
            guard case .failed(let error) = wire.server.handshake else {
                Issue.record("\(text) was accepted")
                continue
            }
            #expect(error == TLSError(.protocolViolation, reason))
            // A failure is final.
            #expect(wire.server.connection.handshake([1].span) == .failed(error))
            #expect(wire.server.connection.encrypt([1].span) == error)
            wire.server.connection.closeNotify()
            wire.server.connection.releaseBuffers()
            expectNoErrorsLeft()
        }
    }

    /// Changes each byte of the client's first flight. The handshake fails, and nothing else happens.
    @Test(arguments: TLSVersion.allCases)
    func `a changed byte of the handshake never passes`(_ version: TLSVersion) throws {
        let client = try Fixture.client(maximum: version)
        let server = try Fixture.server()
        var wire = try Wire(client, server)
        wire.client.receive(Span())
        let hello = wire.client.takeOutput()
        for index in hello.indices {
            var changed = hello
            changed[index] ^= 0x40
            wire = try Wire(client, server)
            wire.server.receive(changed.span)
            #expect(wire.server.handshake != .done)
            expectNoErrorsLeft()
        }
    }

    @Test(arguments: TLSVersion.allCases, [0, 1, 3, 5, 6, 20, 35])
    func `a changed record is refused`(_ version: TLSVersion, _ index: Int) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server())
        wire.connect()
        #expect(wire.client.send([UInt8](repeating: 7, count: 100), to: wire.server) == nil)
        wire.server.incoming[index] ^= 0x40
        wire.run()
        #expect(wire.server.received.isEmpty)
        guard case .failed(let error) = wire.server.state else {
            // The length became larger, and the rest of the record never comes.
            #expect(index == 3)
            return
        }
        #expect(error.kind == .protocolViolation)
        VerificationTests.expectAlert(wire.client)
        var buffer = [UInt8](repeating: 0, count: 10)
        var span = buffer.mutableSpan
        let again = wire.server.connection.decrypt([1, 2].span, into: &span)
        #expect(again == .init(count: 0, state: .failed(error), hasMore: false))
        expectNoErrorsLeft()
    }

    @Test func `data before a bad record is delivered`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        wire.server.incoming += [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        wire.run()
        #expect(wire.server.received == [1, 2, 3])
        #expect(wire.server.state != .open)
    }

    /// A record that is cut anywhere is waited for.
    @Test func `a truncated record waits`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        let record = wire.server.incoming
        wire.server.incoming = []
        for byte in record.dropLast() {
            wire.server.receive([byte].span)
            #expect(wire.server.state == .open)
            #expect(wire.server.received.isEmpty)
        }
    }

    @Test func `a version below the minimum is refused`() throws {
        var wire = try Wire(Fixture.client(maximum: .v1_2), Fixture.server(minimum: .v1_3))
        wire.connect()
        #expect(wire.server.handshake == .failed(TLSError(.protocolViolation, "unsupported protocol")))
        #expect(wire.client.handshake == .failed(TLSError(.alert, "the peer's alert: protocol version")))
        wire = try Wire(Fixture.client(), Fixture.server(minimum: .v1_3))
        wire.connect()
        #expect(wire.server.handshake == .done)
        #expect(wire.server.connection.cipher == "TLS_AES_128_GCM_SHA256")
    }

    @Test func `old versions are refused`() throws {
        let client = try Fixture.client(verify: false)
        client.speakOldVersions()
        var wire = try Wire(client, Fixture.server())
        wire.connect()
        #expect(wire.server.handshake == .failed(TLSError(.protocolViolation, "unsupported protocol")))
    }

    @Test func `ciphers without forward secrecy are refused`() throws {
        let client = try Fixture.client(verify: false, maximum: .v1_2)
        client.offerCiphers("AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA")
        var wire = try Wire(client, Fixture.server())
        wire.connect()
        #expect(wire.server.handshake == .failed(TLSError(.protocolViolation, "no shared cipher")))
    }

    @Test func `renegotiation is refused`() throws {
        var wire = try Wire(Fixture.client(maximum: .v1_2), Fixture.server())
        wire.connect()
        wire.client.connection.renegotiate()
        wire.server.incoming += wire.client.takeOutput()
        #expect(!wire.server.incoming.isEmpty)
        wire.run()
        // The answer is a warning (RFC 5246 section 7.2.2), at which libssl's client fails.
        #expect(wire.client.state == .failed(TLSError(.protocolViolation, "no renegotiation")))
        #expect(wire.server.state == .failed(TLSError(.alert, "the peer's alert: handshake failure")))
    }
}
