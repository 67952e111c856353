import TestSupport
import Testing

@testable import TLS

/// The pieces in which ciphertext arrives.
enum Pieces: Sendable, CustomTestStringConvertible {
    case whole
    case bytes
    /// Of random sizes, the same in each run.
    case random(seed: UInt64)

    static let all: [Pieces] = [.whole, .bytes, .random(seed: 1), .random(seed: 2), .random(seed: 3)]

    var testDescription: String {
        switch self {
        case .whole: "whole"
        case .bytes: "byte by byte"
        case .random(let seed): "in random pieces \(seed)"
        }
    }

    /// Where to cut `count` bytes.
    func cut(_ count: Int, _ random: inout SeededGenerator) -> [Range<Int>] {
        guard count > 0 else { return [] }
        switch self {
        case .whole: return [0..<count]
        case .bytes: return (0..<count).map { $0..<$0 + 1 }
        case .random:
            var ranges: [Range<Int>] = []
            var start = 0
            while start < count {
                let end = min(count, start + Int.random(in: 1...max(1, min(count, 5000)), using: &random))
                ranges.append(start..<end)
                start = end
            }
            return ranges
        }
    }
}

/// One end of a wire: a connection, the bytes on their way to it, and those it has received.
final class End {
    let connection: TLSConnection
    let io: TLSIO
    var handshake = TLSConnection.HandshakeResult.wantsRead
    var state = TLSConnection.DecryptResult.State.open
    /// Plaintext received.
    var received: [UInt8] = []
    /// Ciphertext on its way to this end.
    var incoming: [UInt8] = []
    /// Size of the buffer that plaintext is read into.
    var room = 65536
    /// Sent with the last bytes of the handshake.
    var sentWhenDone: [UInt8] = []
    /// Whether buffers are released after each piece.
    var releasesBuffers = false

    init(_ connection: TLSConnection, _ io: TLSIO) {
        self.connection = connection
        self.io = io
    }

    /// Takes the connection's output.
    func takeOutput() -> [UInt8] {
        defer { self.io.clearOutput() }
        return self.io.output
    }

    /// Gives the connection some bytes.
    func receive(_ bytes: Span<UInt8>) {
        defer { if self.releasesBuffers { self.connection.releaseBuffers() } }
        if self.handshake == .wantsRead {
            self.handshake = self.connection.handshake(bytes)
            expectNoErrorsLeft()
            guard self.handshake == .done else { return }
            #expect(self.connection.encrypt(self.sentWhenDone.span) == nil)
            self.decrypt(Span())
            return
        }
        if self.handshake == .done { self.decrypt(bytes) }
    }

    private func decrypt(_ bytes: Span<UInt8>) {
        var buffer = [UInt8](repeating: 0, count: self.room)
        var result = self.decryptOnce(bytes, &buffer)
        while result.hasMore { result = self.decryptOnce(Span(), &buffer) }
    }

    private func decryptOnce(_ bytes: Span<UInt8>, _ buffer: inout [UInt8]) -> TLSConnection.DecryptResult {
        var span = buffer.mutableSpan
        let result = self.connection.decrypt(bytes, into: &span)
        expectNoErrorsLeft()
        self.received += buffer[..<result.count]
        self.state = result.state
        return result
    }

    func send(_ bytes: [UInt8], to other: End) -> TLSError? {
        let error = self.connection.encrypt(bytes.span)
        expectNoErrorsLeft()
        other.incoming += self.takeOutput()
        return error
    }
}

func expectNoErrorsLeft(_ location: SourceLocation = #_sourceLocation) {
    #expect(ErrorQueue.isEmpty, sourceLocation: location)
}

/// A client and a server, connected in memory.
struct Wire {
    let client: End
    let server: End
    let pieces: Pieces
    var random: SeededGenerator

    init(
        _ client: TLSClientContext, _ server: TLSServerContext, name: String? = "localhost", pieces: Pieces = .whole
    ) throws {
        self.client = End(try client.makeConnection(serverName: name), client.io)
        self.server = End(try server.makeConnection(), server.io)
        self.pieces = pieces
        if case .random(let seed) = pieces {
            self.random = SeededGenerator(seed: seed)
        } else {
            self.random = SeededGenerator(seed: 0)
        }
    }

    /// Starts the client's handshake, and carries bytes both ways until there are none.
    mutating func connect() {
        self.client.receive(Span())
        self.server.incoming += self.client.takeOutput()
        self.run()
    }

    /// Carries bytes both ways until there are none.
    mutating func run() {
        while !self.client.incoming.isEmpty || !self.server.incoming.isEmpty {
            self.carry(from: self.client, to: self.server)
            self.carry(from: self.server, to: self.client)
        }
    }

    private mutating func carry(from: End, to: End) {
        let bytes = to.incoming
        to.incoming = []
        for range in self.pieces.cut(bytes.count, &self.random) {
            to.receive(bytes[range].span)
            from.incoming += to.takeOutput()
        }
    }
}
