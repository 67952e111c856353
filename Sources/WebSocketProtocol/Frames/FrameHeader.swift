/// The header of a frame (RFC 6455 section 5.2), 2 to 14 bytes on the wire.
public struct FrameHeader: Hashable, Sendable {
    /// The last frame of its message.
    public var fin: Bool
    /// Set on the first frame of a compressed message (RFC 7692 section 6).
    public var rsv1: Bool
    /// `continuation` in all frames of a message but the first.
    public var opcode: Opcode
    /// In bytes. Never negative.
    public var payloadLength: Int
    /// `nil` in a server's frame.
    public var maskingKey: MaskingKey?

    /// By default a server's frame that is a whole message. A negative length is a mistake that ends the process.
    public init(
        fin: Bool = true, rsv1: Bool = false, opcode: Opcode, payloadLength: Int, maskingKey: MaskingKey? = nil
    ) {
        precondition(payloadLength >= 0, "negative payload length")
        self.fin = fin
        self.rsv1 = rsv1
        self.opcode = opcode
        self.payloadLength = payloadLength
        self.maskingKey = maskingKey
    }

    /// The longest header, in bytes.
    public static let maximumLength = 14

    /// The length of this header on the wire, in bytes.
    public var encodedLength: Int {
        let length = self.payloadLength <= 125 ? 2 : self.payloadLength <= 0xFFFF ? 4 : 10
        return self.maskingKey == nil ? length : length + 4
    }

    /// Appends the header to `bytes`.
    public func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: self.encodedLength))
        var span = bytes.mutableSpan
        _ = self.encode(into: &span, at: start)
    }

    /// Writes the header to `bytes` from `start` on, where it must fit. Returns its length.
    public func encode(into bytes: inout MutableSpan<UInt8>, at start: Int) -> Int {
        let mask: UInt8 = self.maskingKey == nil ? 0 : 0x80
        bytes[start] = (self.fin ? 0x80 : 0) | (self.rsv1 ? 0x40 : 0) | self.opcode.rawValue
        var end = start + 2
        switch self.payloadLength {
        case ...125:
            bytes[start + 1] = mask | UInt8(truncatingIfNeeded: self.payloadLength)
        case ...0xFFFF:
            bytes[start + 1] = mask | 126
            end = self.encodeLength(bytes: 2, into: &bytes, at: end)
        default:
            bytes[start + 1] = mask | 127
            end = self.encodeLength(bytes: 8, into: &bytes, at: end)
        }
        if let key = self.maskingKey {
            for index in 0..<4 { bytes[end + index] = key[index] }
            end += 4
        }
        return end - start
    }

    private func encodeLength(bytes count: Int, into bytes: inout MutableSpan<UInt8>, at start: Int) -> Int {
        for index in 0..<count {
            bytes[start + index] = UInt8(truncatingIfNeeded: self.payloadLength >> ((count - 1 - index) * 8))
        }
        return start + count
    }
}

extension FrameHeader {
    /// The result of `parse`.
    public enum Parsed: Hashable, Sendable {
        /// The header's end is missing.
        case incomplete
        /// A header of `length` bytes.
        case header(FrameHeader, length: Int)
        /// This cannot become a header.
        case invalid(Violation)
    }

    /// Reads the header that begins at `start`. It checks all that a frame shows on its own: reserved bits 2 and 3, the
    /// opcode, the rules for control frames, and that the length is minimal and below 2^63 (RFC 6455 sections 5.2 and 5.5).
    public static func parse(_ bytes: Span<UInt8>, at start: Int) -> Parsed {
        let available = bytes.count - start
        guard available >= 2 else { return .incomplete }
        let first = bytes[start]
        let second = bytes[start + 1]
        guard first & 0x30 == 0 else { return .invalid(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { return .invalid(.unknownOpcode) }
        let fin = first & 0x80 != 0
        var length = Int(second & 0x7F)
        if opcode.isControl {
            guard fin else { return .invalid(.fragmentedControl) }
            guard length <= 125 else { return .invalid(.controlTooLong) }
        }

        var end = start + 2
        if length == 126 {
            guard available >= 4 else { return .incomplete }
            length = Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
            guard length > 125 else { return .invalid(.lengthNotMinimal) }
            end = start + 4
        } else if length == 127 {
            guard available >= 10 else { return .incomplete }
            var declared: UInt64 = 0
            for index in start + 2..<start + 10 { declared = declared << 8 | UInt64(bytes[index]) }
            guard declared > 0xFFFF else { return .invalid(.lengthNotMinimal) }
            guard let representable = Int(exactly: declared) else { return .invalid(.lengthOverflow) }
            length = representable
            end = start + 10
        }

        var key: MaskingKey?
        if second & 0x80 != 0 {
            guard bytes.count - end >= 4 else { return .incomplete }
            key = MaskingKey(bytes[end], bytes[end + 1], bytes[end + 2], bytes[end + 3])
            end += 4
        }
        let header = FrameHeader(
            fin: fin, rsv1: first & 0x40 != 0, opcode: opcode, payloadLength: length, maskingKey: key)
        return .header(header, length: end - start)
    }
}

/// The kind of a frame (RFC 6455 section 11.8). A reserved value is a `Violation`.
public enum Opcode: UInt8, Hashable, Sendable {
    /// Goes on with the message in progress (RFC 6455 section 5.4).
    case continuation = 0
    /// Begins a message in UTF-8 (RFC 6455 section 5.6).
    case text = 1
    /// Begins a message of any bytes (RFC 6455 section 5.6).
    case binary = 2
    /// Begins or answers the closing handshake (RFC 6455 section 5.5.1).
    case close = 8
    /// Asks for a pong with the same payload (RFC 6455 section 5.5.2).
    case ping = 9
    /// Answers a ping, or comes unasked (RFC 6455 section 5.5.3).
    case pong = 10

    /// Close, ping or pong: at most 125 bytes of payload, and never fragmented (RFC 6455 section 5.5).
    public var isControl: Bool { self.rawValue & 0x8 != 0 }
}
