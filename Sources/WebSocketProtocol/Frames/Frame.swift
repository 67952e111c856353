/// Makes whole frames. A frame for a server needs a masking key of fresh random bits. A frame for a client has none
/// (RFC 6455 section 5.1).
public enum Frame {
    /// Any frame. A control frame must have at most 125 bytes of payload, and `fin` set.
    public static func encoded(
        _ opcode: Opcode, payload: Span<UInt8>, fin: Bool = true, rsv1: Bool = false, maskingKey: MaskingKey?
    ) -> [UInt8] {
        precondition(!opcode.isControl || (payload.count <= 125 && fin), "not a control frame")
        let header = FrameHeader(
            fin: fin, rsv1: rsv1, opcode: opcode, payloadLength: payload.count, maskingKey: maskingKey)
        var frame: [UInt8] = []
        frame.reserveCapacity(header.encodedLength + payload.count)
        header.append(to: &frame)
        Masking.appendXored(payload, with: maskingKey, to: &frame)
        return frame
    }

    /// A text message in one frame.
    public static func text(_ text: String, maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.text, payload: Array(text.utf8).span, maskingKey: maskingKey)
    }

    /// A binary message in one frame.
    public static func binary(_ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.binary, payload: payload.span, maskingKey: maskingKey)
    }

    /// A ping with at most 125 bytes of payload.
    public static func ping(_ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.ping, payload: payload.span, maskingKey: maskingKey)
    }

    /// A pong with at most 125 bytes of payload.
    public static func pong(_ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.pong, payload: payload.span, maskingKey: maskingKey)
    }

    /// A close frame. A long reason is cut (`CloseFrame.encodedPayload`).
    public static func close(_ code: CloseCode?, reason: String = "", maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.close(CloseFrame(code: code, reason: reason), maskingKey: maskingKey)
    }

    /// A close frame with this content.
    public static func close(_ frame: CloseFrame, maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.close, payload: frame.encodedPayload.span, maskingKey: maskingKey)
    }
}
