internal import WebSocketProtocol

/// Checks that a client's text is UTF-8 where its messages are looked at in pieces, as they come (RFC 6455 section 8.1).
struct TextCheck {
    private var validator = UTF8Validator()

    /// Whether the message that `part` belongs to, and which lies unmasked in `bytes`, is still text, or is binary.
    mutating func accepts(_ part: FrameReader.DataPart, in bytes: Span<UInt8>) -> Bool {
        guard part.messageOpcode == .text else { return true }
        guard self.validator.consume(bytes.extracting(part.range)) else { return false }
        guard part.isFinal else { return true }
        defer { self.validator = UTF8Validator() }
        return self.validator.isComplete
    }
}
