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

    mutating func append(_ message: Message) {
        let header = FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil)
        if self.bytes.isEmpty { self.bytes.reserveCapacity(header.encodedLength + message.payload.count) }
        header.append(to: &self.bytes)
        self.bytes += message.payload
        self.count(message.opcode, message.payload.count)
    }

    /// The same messages, each compressed if that is worthwhile.
    func compressed(_ direction: DeflateParameters.Direction, _ compression: WorkerCompression) -> RoomMessages {
        var result = RoomMessages()
        var scratch = compression.takeScratch()
        defer { compression.giveBack(&scratch) }
        let span = self.bytes.span
        var position = 0
        // We encoded them, so each frame is whole and valid.
        while case .header(let header, let length) = FrameHeader.parse(span, at: position) {
            let end = position + length + header.payloadLength
            let payload = span.extracting((position + length)..<end)
            let deflater = { compression.deflater(direction) }
            if let frame = CompressedFrame.encode(header.opcode, payload, with: deflater, into: &scratch) {
                result.bytes.append(scratch.span.extracting(frame.range))
                result.count(header.opcode, frame.payloadLength)
            } else {
                result.bytes.append(span.extracting(position..<end))
                result.count(header.opcode, header.payloadLength)
            }
            position = end
        }
        return result
    }

    private mutating func count(_ opcode: Opcode, _ payloadLength: Int) {
        if opcode == .text { self.tally.text &+= 1 } else { self.tally.binary &+= 1 }
        self.tally.payloadBytes &+= UInt64(payloadLength)
    }
}
