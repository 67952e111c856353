import Configuration
import Fuzzing
import Sessions
import WebSocketProtocol

/// The protocol of a relayed session. The fuzzer's bytes choose what both sides send, in which pieces and order it arrives, when sides end,
/// and when time is up.
@main
enum FuzzSession {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let flags = choices.byte()
            var limits = Limits()
            limits.message = ByteCount(rawValue: choices.pick([0, 1, 130, 5000]))
            limits.backendMessage = limits.message
            limits.fragments = choices.pick([0, 1, 3])
            limits.backendFragments = limits.fragments
            var session = RelayedSession(
                limits: limits, allowsCompression: flags & 1 != 0, checksText: flags & 2 != 0)
            var wires = PerLeg(client: [UInt8](), backend: [UInt8]())
            while !choices.isEmpty {
                let step = choices.byte()
                let leg = step & 0x80 == 0 ? Leg.client : .backend
                // Choices that were added later have bits of their own, so that the corpus keeps its meaning.
                switch step & 0x70 {
                case 0x40: session.ping(leg)
                case 0x50: wires[leg] += session.pong(from: leg)
                case 0x60: session.stopResponding(leg, step & 1 == 0 ? .pingTimeout(leg) : .stalled(leg))
                default: break
                }
                switch step & 0x0F {
                case 0: wires[leg] += choices.bytes(Int(choices.byte()) & 0x1F)
                case 1...4: wires[leg] += self.frame(from: leg, &choices)
                case 5: wires[leg] += self.close(from: leg, &choices)
                case 6...8: self.deliver(Int(choices.byte()), of: &wires[leg], from: leg, to: &session)
                case 9...11: self.deliver(.max, of: &wires[leg], from: leg, to: &session)
                case 12: session.legEnded(leg, inOrder: step & 0x20 == 0)
                case 13: session.timeIsUp()
                case 14: session.close(.byGateway(.drain))
                default: session.close(.byGateway(.internalError))
                }
                session.check()
            }
            self.deliver(.max, of: &wires.client, from: .client, to: &session)
            self.deliver(.max, of: &wires.backend, from: .backend, to: &session)
            session.endAll()
        }
    }

    /// A frame that is well-formed unless its first byte is not. Its payload may come later, or never.
    private static func frame(from leg: Leg, _ choices: inout Choices) -> [UInt8] {
        let first = choices.byte()
        let length = choices.pick([0, 1, 2, 5, 20, 125, 126, 127, 300, 66_000])
        let opcode = Opcode(rawValue: first & 0x0F) ?? .binary
        let key: MaskingKey? = leg == .client ? MaskingKey(1, 2, 3, 4) : nil
        let header = FrameHeader(
            fin: first & 0x80 != 0, rsv1: first & 0x40 != 0, opcode: opcode, payloadLength: length, maskingKey: key)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        // A long payload would only make this slow.
        let isWhole = first & 0x20 == 0 && length <= 300
        guard isWhole else { return bytes }
        // ASCII; characters of two bytes, the last of which may be incomplete; a second byte first; a byte that is never in text.
        let pattern: [UInt8] = choices.pick([[0x61], [0xC3, 0xA9], [0xA9, 0xC3], [0xFF]])
        let payload = (0..<length).map { pattern[$0 % pattern.count] }
        Masking.appendXored(payload.span, with: key, to: &bytes)
        return bytes
    }

    private static func close(from leg: Leg, _ choices: inout Choices) -> [UInt8] {
        let code = choices.pick([nil, 1000, 1001, 1005, 1012, 1014, 2999, 4000])
        let key: MaskingKey? = leg == .client ? MaskingKey(1, 2, 3, 4) : nil
        var payload: [UInt8] = code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []
        if code != nil { payload += choices.bytes(Int(choices.byte()) & 0x0F) }
        return Frame.encoded(.close, payload: payload.span, maskingKey: key)
    }

    private static func deliver(_ count: Int, of wire: inout [UInt8], from leg: Leg, to session: inout RelayedSession) {
        let piece = Array(wire.prefix(count))
        wire.removeFirst(piece.count)
        if !piece.isEmpty { session.arrived(piece, from: leg) }
    }
}
