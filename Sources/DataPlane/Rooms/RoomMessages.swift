internal import System
internal import WebSocketProtocol

/// Messages for a room, encoded once for all members, because frames to clients are not masked. Each message is one frame.
struct RoomMessages: Sendable {
    /// At this size they are posted before another is added: one TLS record can hold them.
    private static let most = 16 << 10
    /// The memory of arrays, objects and places in queues, besides the bytes.
    private static let overhead = 256

    /// The frames, back to back.
    private(set) var bytes: [UInt8] = []
    private(set) var tally = MessageTally()

    var isEmpty: Bool { self.bytes.isEmpty }
    /// Whether to post before another message is added.
    var isFull: Bool { self.bytes.count >= Self.most }
    /// The approximate memory, in bytes.
    var footprint: Int { self.bytes.count + Self.overhead }
    /// That of the messages one by one, on their way to the server.
    var footprintOnTheWay: Int { Int(self.tally.payloadBytes) + Int(self.tally.messages) * Self.overhead }

    /// Its part for one message.
    ///
    /// - Parameter length: of the payload.
    static func footprint(onTheWay length: Int) -> Int { length + self.overhead }

    /// None.
    init() {}

    /// One message.
    init(_ message: Message) { self.append(message) }

    mutating func append(_ message: Message) {
        let header = FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil)
        if self.bytes.isEmpty { self.bytes.reserveCapacity(header.encodedLength + message.payload.count) }
        header.append(to: &self.bytes)
        self.bytes += message.payload
        self.count(message.opcode, message.payload.count)
    }

    /// - Parameter length: of the payload.
    mutating func append(frame: Span<UInt8>, _ opcode: Opcode, _ length: Int) {
        self.bytes.append(frame)
        self.count(opcode, length)
    }

    private mutating func count(_ opcode: Opcode, _ payloadLength: Int) {
        if opcode == .text { self.tally.text &+= 1 } else { self.tally.binary &+= 1 }
        self.tally.payloadBytes &+= UInt64(payloadLength)
    }
}
