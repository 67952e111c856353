import TestSupport
import Testing

@testable import TLS

/// Records without data: 27 bytes of a peer can be costly, so their number is bounded in each call and in a row.
@Suite struct IdleRecordsTests {
    /// As many as one call works through: its limit, and what libssl has been given by then.
    private static let mostPerCall = TLSConnection.idleRecordsPerCall + 8

    private static let data: [UInt8] = [1, 2, 3]

    private func connected() throws -> Wire {
        var wire = try Wire(Fixture.client(maximum: .v1_3), Fixture.server())
        wire.connect()
        return wire
    }

    /// KeyUpdates of the client, each in a record of its own.
    private func keyUpdates(_ count: Int, of client: End) -> [UInt8] {
        for _ in 0..<count { client.connection.sendKeyUpdate() }
        return client.takeOutput()
    }

    private func data(of client: End) -> [UInt8] {
        #expect(client.connection.encrypt(Self.data.span) == nil)
        return client.takeOutput()
    }

    private struct Call {
        let records: Int
        let count: Int
        let result: TLSConnection.DecryptResult
    }

    /// Decrypts `ciphertext` in as many calls as it takes.
    private func decrypt(_ ciphertext: [UInt8], _ server: End) -> [Call] {
        var calls: [Call] = []
        var input = ciphertext
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        repeat {
            let before = server.io.records.count
            var span = buffer.mutableSpan
            let result = server.connection.decrypt(input.span, into: &span)
            input = []
            server.received += buffer[..<result.count]
            calls.append(Call(records: server.io.records.begun(since: before), count: result.count, result: result))
            expectNoErrorsLeft()
        } while calls[calls.count - 1].result.hasMore
        return calls
    }

    @Test func `records without data are worked through in portions`() throws {
        let wire = try self.connected()
        let row = self.keyUpdates(TLSConnection.mostIdleRecords, of: wire.client)
        #expect(row.count == 27 * TLSConnection.mostIdleRecords)
        let calls = self.decrypt(row + self.data(of: wire.client), wire.server)
        #expect(wire.server.received == Self.data)
        #expect(calls.count > 1)
        #expect(calls.allSatisfy { $0.records <= Self.mostPerCall })
        #expect(calls.dropLast().allSatisfy { $0.count == 0 && $0.result.hasMore })
        #expect(calls.last?.result.state == .open)
    }

    @Test func `too many records without data in a row end the connection`() throws {
        let wire = try self.connected()
        let flood = self.keyUpdates(2000, of: wire.client)
        let calls = self.decrypt(flood + self.data(of: wire.client), wire.server)
        let reason = "more than 32 TLS records without data in a row"
        #expect(calls.last?.result.state == .failed(TLSError(.protocolViolation, reason)))
        #expect(wire.server.received.isEmpty)
        #expect(calls.map(\.records).reduce(0, +) <= TLSConnection.mostIdleRecords + 8)
    }

    /// The row is counted over all reads, also if the records come one by one.
    @Test func `records without data may be cut anywhere`() throws {
        let wire = try self.connected()
        let flood = self.keyUpdates(2000, of: wire.client)
        var records = 0
        for piece in stride(from: 0, to: flood.count, by: 10) {
            let calls = self.decrypt(Array(flood[piece..<min(piece + 10, flood.count)]), wire.server)
            records += calls.map(\.records).reduce(0, +)
            if case .failed = calls[calls.count - 1].result.state { break }
        }
        #expect((TLSConnection.mostIdleRecords...TLSConnection.mostIdleRecords + 8).contains(records))
    }

    @Test func `data between records without data arrives in portions`() throws {
        let wire = try self.connected()
        var ciphertext: [UInt8] = []
        for _ in 0..<50 {
            ciphertext += self.keyUpdates(20, of: wire.client)
            ciphertext += self.data(of: wire.client)
        }
        let calls = self.decrypt(ciphertext, wire.server)
        #expect(wire.server.received == (0..<50).flatMap { _ in Self.data })
        #expect(calls.allSatisfy { $0.result.state == .open && $0.records <= Self.mostPerCall + $0.count / 3 })
        // However many updates came, one answer goes out, with our next data.
        #expect(wire.server.send(Self.data, to: wire.client) == nil)
        let answer = wire.client.incoming
        wire.client.incoming = []
        wire.client.receive(answer.span)
        #expect(wire.client.received == Self.data)
    }

    @Test func `records with data do not count`() throws {
        let wire = try self.connected()
        let ciphertext = (0..<500).flatMap { _ in self.data(of: wire.client) }
        let calls = self.decrypt(ciphertext, wire.server)
        #expect(calls.map(\.records) == [500])
        #expect(wire.server.received.count == 1500)
    }

    @Test(arguments: Pieces.all)
    func `records are counted however they are cut`(_ pieces: Pieces) {
        var random = SeededGenerator(seed: 5)
        var ciphertext: [UInt8] = []
        for length in [0, 1, 22, 255, 256, 300, 16_406, 0, 3] {
            ciphertext += [23, 3, 3, UInt8(length >> 8), UInt8(length & 255)]
            ciphertext += [UInt8](repeating: 23, count: length)
        }
        var counter = RecordCounter()
        for range in pieces.cut(ciphertext.count, &random) {
            var rest = range
            while !rest.isEmpty {
                let before = counter.count
                // Sound: read inside the closure only.
                let taken = unsafe ciphertext[rest].withUnsafeBufferPointer { bytes in
                    unsafe counter.take(bytes, atMost: 1000, records: 2)
                }
                #expect((1...1000).contains(taken))
                #expect(counter.count - before <= 2)
                rest = (rest.lowerBound + taken)..<rest.upperBound
            }
        }
        #expect(counter.count == 9)
    }
}
