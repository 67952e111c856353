import Testing
import WebSocketProtocol

@Suite struct MessageAssemblerTests {
    private func text(_ pieces: [[UInt8]]) -> [UInt8] {
        pieces.enumerated().flatMap { index, piece in
            Frame.of(
                index == 0 ? .text : .continuation, piece, fin: index == pieces.count - 1,
                key: someKey.rotated(by: index))
        }
    }

    @Test func `frames may cut characters`() {
        let bytes = Array("κόσμε €😀".utf8)
        for split in 0...bytes.count {
            var listener = Listener(.client)
            listener.receive(self.text([Array(bytes[..<split]), Array(bytes[split...])]))
            #expect(listener.heard == [.text(bytes)])
            #expect(listener.assembler.byteCount == 0)
        }
    }

    @Test func `text fails at the first wrong byte`() {
        // A surrogate: the second byte is invalid, although frame and message go on.
        let bytes = self.text([Array("ok ".utf8) + [0xED, 0xA0, 0x80], [0x61]])
        var listener = Listener(.client)
        for (index, byte) in bytes.enumerated() {
            listener.receive([byte])
            #expect(listener.heard == (index < 6 + 4 ? [] : [.violation(.invalidUTF8)]))
        }
    }

    @Test func `text must end with a whole character`() {
        for bytes in [[0xE2, 0x82], [0x61, 0xC3], [0xF0, 0x9F, 0x98]] as [[UInt8]] {
            for pieces in [[bytes], [bytes, []]] {
                var listener = Listener(.client)
                listener.receive(self.text(pieces))
                #expect(listener.heard == [.violation(.invalidUTF8)])
            }
        }
    }

    @Test func `a binary message may hold any bytes`() {
        var listener = Listener(.server)
        listener.receive(Frame.binary([0xFF, 0xFE, 0x80]))
        #expect(listener.heard == [.binary([0xFF, 0xFE, 0x80])])
    }

    @Test func `payload may be unmasked already`() {
        var reader = FrameReader(rules: .client)
        var bytes = Frame.text("é", maskingKey: someKey)
        var position = 0
        guard case .data(let part) = reader.next(bytes.span, at: &position), let key = part.maskingKey else {
            Issue.record("no data")
            return
        }
        var span = bytes.mutableSpan
        Masking.apply(key, to: &span, range: part.range)
        var assembler = MessageAssembler()
        let result = assembler.add(part, payload: bytes.span.extracting(part.range))
        #expect(result == .message(Message(opcode: .text, payload: Array("é".utf8))))
    }
}
