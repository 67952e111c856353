internal import System
internal import WebSocketProtocol

/// Messages for a room, encoded once for all members: what we send is not masked. Each is one frame.
struct RoomMessages: Sendable {
    /// With more, they are sent before any other is added: what fits into one TLS record goes out together.
    private static let most = 16 << 10
    /// What keeping them takes beside their bytes: arrays and objects, and their places in queues.
    private static let overhead = 256

    /// The frames, one after the other.
    private(set) var bytes: [UInt8] = []
    private(set) var tally = MessageTally()

    var isEmpty: Bool { self.bytes.isEmpty }
    /// No more is to be added.
    var isFull: Bool { self.bytes.count >= Self.most }
    /// The bytes of memory that they take, about.
    var footprint: Int { self.bytes.count + Self.overhead }

    mutating func append(_ message: Message) {
        let header = FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil)
        if self.bytes.isEmpty { self.bytes.reserveCapacity(header.encodedLength + message.payload.count) }
        header.append(to: &self.bytes)
        self.bytes += message.payload
        self.count(message.opcode, message.payload.count)
    }

    /// The same messages, each compressed where that is worth it.
    func compressed(_ direction: DeflateParameters.Direction, _ compression: WorkerCompression) -> RoomMessages {
        var result = RoomMessages()
        var scratch = compression.takeScratch()
        defer { compression.giveBack(&scratch) }
        let span = self.bytes.span
        var position = 0
        // They are ours, so that each is a whole and valid frame.
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
