import Testing

@testable import TLS

@Suite struct DataTests {
    static func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    }

    @Test(arguments: TLSVersion.allCases, [1, 2, 100, 16_384, 16_385, 65_536, 1 << 20])
    func `bytes arrive both ways`(_ version: TLSVersion, _ count: Int) throws {
        for pieces in Pieces.all {
            if case .bytes = pieces, count > 20_000 { continue }
            if case .random(2...) = pieces, count > 100_000 { continue }
            var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: pieces)
            wire.connect()
            let bytes = Self.bytes(count)
            #expect(wire.client.send(bytes, to: wire.server) == nil)
            #expect(wire.server.send(bytes, to: wire.client) == nil)
            wire.run()
            #expect(wire.server.received == bytes)
            #expect(wire.client.received == bytes)
            #expect(wire.server.state == .open)
            #expect(wire.client.state == .open)
        }
    }

    @Test(arguments: [1, 7, 100, 16_384, 16_385])
    func `nothing is lost when the plaintext buffer is small`(_ room: Int) throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.server.room = room
        wire.connect()
        let bytes = Self.bytes(50_000)
        #expect(wire.client.send(bytes, to: wire.server) == nil)
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        wire.run()
        #expect(wire.server.received == bytes + [1, 2, 3])
    }

    @Test func `without room for plaintext there is more to come`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        #expect(wire.client.send([1, 2, 3], to: wire.server) == nil)
        let ciphertext = wire.server.incoming
        wire.server.incoming = []
        var empty: [UInt8] = []
        var span = empty.mutableSpan
        let result = wire.server.connection.decrypt(ciphertext.span, into: &span)
        #expect(result == .init(count: 0, state: .open, hasMore: true))
        wire.server.receive(Span())
        #expect(wire.server.received == [1, 2, 3])
    }

    /// The client's data comes in the same read as its Finished.
    @Test(arguments: TLSVersion.allCases, [0, 1, 100, 65_536])
    func `data behind the handshake is not lost`(_ version: TLSVersion, _ room: Int) throws {
        let client = try Fixture.client(maximum: version)
        let server = try Fixture.server()
        let bytes = Self.bytes(40_000)
        // The first connection makes a full handshake. The others resume it.
        for pieces in Pieces.all {
            var wire = try Wire(client, server, pieces: pieces)
            wire.server.room = max(1, room)
            wire.client.sentWhenDone = bytes
            wire.connect()
            #expect(wire.server.received == bytes)
            #expect(wire.server.state == .open)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `buffers may be released at any time`(_ version: TLSVersion) throws {
        var wire = try Wire(Fixture.client(maximum: version), Fixture.server(), pieces: .bytes)
        wire.client.releasesBuffers = true
        wire.server.releasesBuffers = true
        wire.connect()
        let bytes = Self.bytes(3000)
        #expect(wire.client.send(bytes, to: wire.server) == nil)
        #expect(wire.server.send(bytes, to: wire.client) == nil)
        wire.run()
        #expect(wire.server.received == bytes)
        #expect(wire.client.received == bytes)
    }

    @Test func `no data makes no record`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        let error = wire.client.connection.encrypt(Span())
        #expect(error == nil)
        #expect(wire.client.io.output.isEmpty)
    }

    @Test func `keys may be updated between data`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        wire.client.connection.updateKeys()
        #expect(wire.client.send([1], to: wire.server) == nil)
        wire.run()
        #expect(wire.server.send([2], to: wire.client) == nil)
        #expect(wire.client.send([3], to: wire.server) == nil)
        wire.run()
        #expect(wire.server.received == [1, 3])
        #expect(wire.client.received == [2])
    }

    @Test func `connections of one worker take turns`() throws {
        let io = TLSIO()
        let server = try TLSServerContext(
            TLSServerSettings(identity: "one", certificates: [Fixture.localhost]), io: io, tickets: TicketKeys())
        var wires = try (0..<5).map { _ in try Wire(Fixture.client(), server) }
        for index in wires.indices { wires[index].connect() }
        for (index, wire) in wires.enumerated() {
            #expect(wire.client.send([UInt8(index)], to: wire.server) == nil)
        }
        for index in wires.indices { wires[index].run() }
        #expect(wires.map(\.server.received) == [[0], [1], [2], [3], [4]])
    }

    @Test func `output keeps its memory unless it grew large`() throws {
        var wire = try Wire(Fixture.client(), Fixture.server())
        wire.connect()
        let io = wire.client.io
        #expect(wire.client.connection.encrypt(Self.bytes(1000).span) == nil)
        io.clearOutput()
        #expect(io.output.isEmpty)
        #expect(io.output.capacity >= 1000)
        #expect(wire.client.connection.encrypt(Self.bytes(1 << 20).span) == nil)
        #expect(io.output.count > 1 << 20)
        io.clearOutput()
        #expect(io.output.capacity < 1000)
    }
}
