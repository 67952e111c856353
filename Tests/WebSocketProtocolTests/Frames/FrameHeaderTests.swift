import Testing
import WebSocketProtocol

@Suite struct FrameHeaderTests {
    static let lengths = [0, 1, 125, 126, 127, 0xFFFF, 0x10000, 1 << 32, Int.max]

    @Test(arguments: lengths, [nil, someKey])
    func `a header is read back as it was written`(length: Int, key: MaskingKey?) {
        for opcode in [Opcode.continuation, .text, .binary] {
            for bits in 0..<4 {
                let header = FrameHeader(
                    fin: bits & 1 != 0, rsv1: bits & 2 != 0, opcode: opcode, payloadLength: length, maskingKey: key)
                var bytes: [UInt8] = [7]
                header.append(to: &bytes)
                #expect(bytes.count == 1 + header.encodedLength)
                #expect(FrameHeader.parse(bytes.span, at: 1) == .header(header, length: header.encodedLength))
                for end in 1..<bytes.count {
                    #expect(FrameHeader.parse(Array(bytes[..<end]).span, at: 1) == .incomplete)
                }
            }
        }
    }

    @Test func `a length is written in its shortest form`() {
        let expected = [0: 2, 125: 2, 126: 4, 0xFFFF: 4, 0x10000: 10, Int.max: 10]
        for (length, size) in expected {
            #expect(FrameHeader(opcode: .binary, payloadLength: length).encodedLength == size)
            let masked = FrameHeader(opcode: .binary, payloadLength: length, maskingKey: someKey)
            #expect(masked.encodedLength == size + 4)
        }
        #expect(
            FrameHeader(opcode: .binary, payloadLength: Int.max, maskingKey: someKey).encodedLength
                == FrameHeader.maximumLength)
    }

    @Test func `a header is written into a span at a position`() {
        var bytes = [UInt8](repeating: 0xEE, count: 10)
        var span = bytes.mutableSpan
        let length = FrameHeader(opcode: .text, payloadLength: 300, maskingKey: someKey).encode(into: &span, at: 1)
        #expect(length == 8)
        #expect(bytes == [0xEE, 0x81, 0xFE, 0x01, 0x2C, 0x37, 0xFA, 0x21, 0x3D, 0xEE])
    }

    @Test(
        arguments: [
            ([0x90, 0x00], .reservedBits), ([0xA0, 0x00], .reservedBits),
            ([0x83, 0x00], .unknownOpcode), ([0x87, 0x00], .unknownOpcode),
            ([0x8B, 0x00], .unknownOpcode), ([0x8F, 0x00], .unknownOpcode),
            ([0x09, 0x00], .fragmentedControl), ([0x08, 0x80], .fragmentedControl), ([0x0A, 0x00], .fragmentedControl),
            ([0x89, 0x7E], .controlTooLong), ([0x88, 0xFF], .controlTooLong),
            ([0x82, 0x7E, 0x00, 0x7D], .lengthNotMinimal),
            ([0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .lengthNotMinimal),
            ([0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthOverflow),
            ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .lengthOverflow),
        ] as [([UInt8], Violation)])
    func `a bad header is refused at the first byte that shows it`(bytes: [UInt8], violation: Violation) {
        #expect(FrameHeader.parse(bytes.span, at: 0) == .invalid(violation))
        for end in bytes.indices {
            #expect(FrameHeader.parse(Array(bytes[..<end]).span, at: 0) == .incomplete)
        }
    }
}
