import Fuzzing
import WebSocketProtocol

/// Compressed messages, assembled by an endpoint. A hostile sender's give the same result for any pieces and any room; an honest sender's
/// come back unchanged.
@main
enum FuzzMessages {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let flags = choices.byte()
            let direction = DeflateParameters.Direction(
                windowBits: 8 + Int(flags & 7), keepsContext: flags & 8 != 0)
            if flags & 0x10 == 0 { self.hear(direction, &choices) } else { self.returnTrip(direction, &choices) }
        }
    }

    // MARK: - Hostile

    private static func hear(_ direction: DeflateParameters.Direction, _ choices: inout Choices) {
        let maximum = choices.pick([1, 64, 1000, 65536])
        let rooms = [choices.pick([1, 7, 64, 4096]), 70_000]
        let sizes = choices.bytes(3)
        var input: [UInt8] = []
        while !choices.isEmpty { input += self.frame(&choices) }

        let pieces = Choices.pieces(of: input, sizes: sizes)
        let whole = Listener.hear([input[...]], direction, maximum: maximum, room: rooms[1])
        for room in rooms {
            let heard = Listener.hear(pieces, direction, maximum: maximum, room: room)
            expect(heard.messages == whole.messages, "messages depend on the pieces or the room")
            // A message that is both too big and broken may be reported as either.
            expect(heard.hasFailed == whole.hasFailed, "a violation depends on the pieces or the room")
        }
    }

    /// Mostly a frame of a compressed message with the fuzzer's payload.
    private static func frame(_ choices: inout Choices) -> [UInt8] {
        let first = choices.byte()
        let payload = choices.bytes(Int(choices.byte()))
        let opcode = Opcode(rawValue: first & 0x03) ?? .continuation
        let key: MaskingKey? = first & 0x20 == 0 ? MaskingKey(1, 2, 3, 4) : MaskingKey(bits: 0)
        let header = FrameHeader(
            fin: first & 0x80 != 0, rsv1: first & 0x40 != 0, opcode: opcode, payloadLength: payload.count,
            maskingKey: key)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        Masking.appendXored(payload.span, with: key, to: &bytes)
        return bytes
    }

    // MARK: - Honest

    private static func returnTrip(_ direction: DeflateParameters.Direction, _ choices: inout Choices) {
        let deflater = Deflater(direction)
        let fragmentSizes = choices.bytes(2)
        let sizes = choices.bytes(2)
        var sent: [Message] = []
        var input: [UInt8] = []
        while !choices.isEmpty {
            let payload = self.payload(&choices)
            sent.append(Message(opcode: .binary, payload: payload))
            var compressed: [UInt8] = []
            deflater.append(payload.span, to: &compressed)
            input += self.frames(of: compressed, sizes: fragmentSizes)
        }
        let heard = Listener.hear(Choices.pieces(of: input, sizes: sizes), direction, maximum: 0, room: 512)
        expect(!heard.hasFailed, "what was deflated cannot be inflated")
        expect(heard.messages == sent, "messages come back as others")
    }

    /// The fuzzer's bytes, some repeated many times.
    private static func payload(_ choices: inout Choices) -> [UInt8] {
        let shape = choices.byte()
        let bytes = choices.bytes(Int(shape & 0x3F))
        return Array(repeatElement(bytes, count: shape & 0xC0 == 0 ? 40 : 1).joined())
    }

    private static func frames(of payload: [UInt8], sizes: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        let fragments = Choices.pieces(of: payload, sizes: sizes)
        for (index, fragment) in fragments.enumerated() {
            let header = FrameHeader(
                fin: index == fragments.count - 1, rsv1: index == 0, opcode: index == 0 ? .binary : .continuation,
                payloadLength: fragment.count, maskingKey: MaskingKey(bits: 0))
            header.append(to: &bytes)
            bytes += fragment
        }
        return bytes
    }
}
