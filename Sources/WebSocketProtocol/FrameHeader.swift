/// The head of a frame (RFC 6455 section 5.2).
package struct FrameHeader: Hashable, Sendable {
    package var fin: Bool
    /// "Compressed" on the first frame of a message where permessage-deflate is in force (RFC 7692 section 6).
    package var rsv1: Bool
    package var opcode: Opcode
    /// In bytes.
    package var payloadLength: Int
    /// Set exactly in what a client sends.
    package var maskingKey: MaskingKey?

    package init(fin: Bool = true, rsv1: Bool = false, opcode: Opcode, payloadLength: Int, maskingKey: MaskingKey? = nil) {
        self.fin = fin
        self.rsv1 = rsv1
        self.opcode = opcode
        self.payloadLength = payloadLength
        self.maskingKey = maskingKey
    }

    /// The most bytes a header has.
    package static let longest = 14

    // MARK: - Parsing

    package enum Parsed: Equatable, Sendable {
        case incomplete
        /// - Parameter length: of the header, in bytes.
        case header(FrameHeader, length: Int)
        case invalid(Violation)
    }

    /// Reads the header that begins at `start`. What the first two bytes get wrong is known before the rest has come.
    package static func parse(_ bytes: Span<UInt8>, at start: Int) -> Parsed {
        guard bytes.count - start >= 2 else { return .incomplete }
        let first = bytes[start]
        let second = bytes[start + 1]
        guard first & 0x30 == 0 else { return .invalid(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { return .invalid(.unknownOpcode) }
        let fin = first & 0x80 != 0
        let short = Int(second & 0x7F)
        if opcode.isControl {
            guard fin else { return .invalid(.fragmentedControl) }
            guard short <= 125 else { return .invalid(.controlTooLong) }
        }
        let isMasked = second & 0x80 != 0
        let extended = short == 126 ? 2 : short == 127 ? 8 : 0
        let length = 2 + extended + (isMasked ? 4 : 0)
        guard bytes.count - start >= length else { return .incomplete }
        var payload = short
        if extended > 0 {
            var number: UInt64 = 0
            for index in 0..<extended { number = number << 8 | UInt64(bytes[start + 2 + index]) }
            guard number <= UInt64(Int.max) else { return .invalid(.lengthOverflow) }
            guard number > (extended == 2 ? 125 : 0xFFFF) else { return .invalid(.lengthNotMinimal) }
            payload = Int(number)
        }
        let key = start + 2 + extended
        let header = FrameHeader(
            fin: fin, rsv1: first & 0x40 != 0, opcode: opcode, payloadLength: payload,
            maskingKey: isMasked ? MaskingKey(bytes[key], bytes[key + 1], bytes[key + 2], bytes[key + 3]) : nil)
        return .header(header, length: length)
    }

    // MARK: - Encoding

    /// How many bytes the header takes.
    package var encodedLength: Int {
        2 + (self.payloadLength > 0xFFFF ? 8 : self.payloadLength > 125 ? 2 : 0) + (self.maskingKey == nil ? 0 : 4)
    }

    /// Writes the header into `bytes`, so that it ends before `end`. Returns where it begins.
    @discardableResult
    package func encode(into bytes: inout MutableSpan<UInt8>, endingAt end: Int) -> Int {
        let start = end - self.encodedLength
        var index = start
        self.forEachByte { byte in
            bytes[index] = byte
            index += 1
        }
        return start
    }

    package func append(to bytes: inout [UInt8]) {
        self.forEachByte { bytes.append($0) }
    }

    private func forEachByte(_ body: (UInt8) -> Void) {
        body((self.fin ? 0x80 : 0) | (self.rsv1 ? 0x40 : 0) | self.opcode.rawValue)
        let mask: UInt8 = self.maskingKey == nil ? 0 : 0x80
        switch self.payloadLength {
        case ...125: body(mask | UInt8(self.payloadLength))
        case ...0xFFFF:
            body(mask | 126)
            for shift in [8, 0] { body(UInt8(truncatingIfNeeded: self.payloadLength >> shift)) }
        default:
            body(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) { body(UInt8(truncatingIfNeeded: self.payloadLength >> shift)) }
        }
        guard let key = self.maskingKey else { return }
        for index in 0..<4 { body(key[index]) }
    }
}
