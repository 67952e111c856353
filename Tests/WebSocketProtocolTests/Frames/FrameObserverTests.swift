import Testing
import WebSocketProtocol

@Suite struct FrameObserverTests {
    /// A frame as an onlooker saw it.
    private struct Seen: Hashable {
        var opcode: Opcode
        var fin: Bool
        var payload: [UInt8]
    }

    private static func seen(_ pieces: [[UInt8]], skipping: Int = 0) -> [Seen] {
        var observer = FrameObserver(skipping: skipping)
        var seen: [Seen] = []
        var payload: [UInt8] = []
        for piece in pieces {
            var position = 0
            while let part = observer.next(piece.span, at: &position) {
                if part.isFirst { payload = [] }
                Masking.appendXored(piece.span.extracting(part.range), with: part.maskingKey, to: &payload)
                if part.isLast {
                    seen.append(.init(opcode: part.header.opcode, fin: part.header.fin, payload: payload))
                }
            }
            #expect(position == piece.count)
        }
        return seen
    }

    private static let frames: [Seen] = [
        .init(opcode: .text, fin: true, payload: Array("κόσμε".utf8)), .init(opcode: .binary, fin: true, payload: []),
        .init(opcode: .ping, fin: true, payload: [1, 2, 3]), .init(opcode: .text, fin: false, payload: [0xCE]),
        .init(opcode: .pong, fin: true, payload: []), .init(opcode: .continuation, fin: true, payload: [0xBA, 0x21]),
        .init(opcode: .binary, fin: true, payload: (0..<300).map { UInt8(truncatingIfNeeded: $0) }),
        .init(opcode: .close, fin: true, payload: [0x03, 0xE8]),
    ]

    private static func bytes(_ key: MaskingKey?) -> [UInt8] {
        self.frames.flatMap { Frame.encoded($0.opcode, payload: $0.payload.span, fin: $0.fin, maskingKey: key) }
    }

    @Test(arguments: [someKey, nil])
    func `an onlooker sees each frame unmasked, however the bytes are cut`(key: MaskingKey?) {
        for pieces in cuts(of: Self.bytes(key)) { #expect(Self.seen(pieces.map { Array($0) }) == Self.frames) }
    }

    @Test func `a frame in progress is not shown, wherever its rest is cut`() {
        let rest = [UInt8](repeating: 0x81, count: 20)
        for pieces in cuts(of: rest + Self.bytes(someKey)) {
            #expect(Self.seen(pieces.map { Array($0) }, skipping: rest.count) == Self.frames)
        }
    }

    @Test func `behind what is no header nothing is seen`() {
        let bytes = Frame.text("a") + [0xF1, 0x00] + Frame.text("b")
        for pieces in cuts(of: bytes) {
            #expect(
                Self.seen(pieces.map { Array($0) }) == [.init(opcode: .text, fin: true, payload: Array("a".utf8))])
        }
    }
}
