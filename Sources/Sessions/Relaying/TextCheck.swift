public import WebSocketProtocol

/// Checks that text is UTF-8 where messages are looked at in pieces, as they come (RFC 6455 section 8.1).
public struct TextCheck: Sendable {
    private var validator = UTF8Validator()

    public init() {}

    /// Whether the message that `part` belongs to is still text, or is binary.
    ///
    /// - Parameters:
    ///   - bytes: those that the part was found in.
    ///   - maskingKey: the part's, if its payload lies there masked.
    public mutating func accepts(
        _ part: FrameReader.DataPart, in bytes: Span<UInt8>, maskingKey: MaskingKey? = nil
    ) -> Bool {
        guard part.messageOpcode == .text else { return true }
        guard self.validator.consume(bytes.extracting(part.range), maskingKey: maskingKey) else { return false }
        guard part.isFinal else { return true }
        defer { self.validator = UTF8Validator() }
        return self.validator.isComplete
    }
}
