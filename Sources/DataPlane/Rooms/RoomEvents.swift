internal import HTTP1
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Messages of a room as server-sent events (HTML Living Standard, section 9.2), in chunks (RFC 9112 section 7.1).
struct RoomEvents {
    /// The chunks, back to back.
    private(set) var bytes: [UInt8] = []
    private(set) var tally = MessageTally()
    /// Binary messages, which cannot be events.
    private(set) var skipped: UInt64 = 0

    /// Says that the client is still waited for.
    static let comment = Array("3\r\n:\n\n\r\n".utf8)
    /// The last chunk.
    static let end = Array("0\r\n\r\n".utf8)

    /// The messages of a post.
    init(_ post: RoomPost) {
        for (index, message) in post.messages.payloads.enumerated() {
            let position = post.position.map { RoomHistories.Position(epoch: $0.epoch, offset: $0.offset + index) }
            self.append(message, at: position)
        }
    }

    /// What a member gets that has just joined: what it missed, or that this is gone, or where it is.
    init(_ recovery: RoomHistories.Recovery, for session: SessionID) {
        guard recovery.isWhole else {
            var event = Array("event: gap\n".utf8)
            if let position = recovery.position { event += Self.id(position) }
            // The line ends with LF.
            event += "data: ".utf8
            event += RoomLine.first(recovery, session)
            self.append(chunk: event + [.lineFeed])
            return
        }
        guard let last = recovery.position else { return }
        // An event without data is none, but from now on the client knows its place.
        if recovery.missed.isEmpty { self.append(chunk: Self.id(last) + [.lineFeed]) }
        for (index, entry) in recovery.missed.enumerated() {
            let offset = last.offset - recovery.missed.count + 1 + index
            self.append(entry.message, at: RoomHistories.Position(epoch: last.epoch, offset: offset))
        }
    }

    private static func id(_ position: RoomHistories.Position) -> [UInt8] {
        Array("id: \(position.epoch):\(position.offset)\n".utf8)
    }

    private mutating func append(_ message: Message, at position: RoomHistories.Position?) {
        guard message.opcode == .text else {
            self.skipped += 1
            return
        }
        var event = position.map(Self.id) ?? []
        event += "data: ".utf8
        var hasReturn = false
        for byte in message.payload {
            defer { hasReturn = byte == .carriageReturn }
            // CRLF is one end of a line.
            if byte == .lineFeed, hasReturn { continue }
            if byte == .lineFeed || byte == .carriageReturn { event += "\ndata: ".utf8 } else { event.append(byte) }
        }
        event += "\n\n".utf8
        self.append(chunk: event)
        self.tally.text &+= 1
        self.tally.payloadBytes &+= UInt64(message.payload.count)
    }

    private mutating func append(chunk: [UInt8]) {
        self.bytes += "\(String(chunk.count, radix: 16))\r\n".utf8
        self.bytes += chunk
        self.bytes += "\r\n".utf8
    }
}
