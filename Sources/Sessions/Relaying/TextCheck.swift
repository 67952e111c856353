public import WebSocketProtocol

/// Checks that text is UTF-8, piece by piece as messages come (RFC 6455 section 8.1).
public struct TextCheck: Sendable {
    private var validator = UTF8Validator()

    /// Ready for the first message.
    public init() {}

    /// Whether the message is valid so far, `part` included. Binary messages always are.
    ///
    /// - Parameters:
    ///   - bytes: where the part is.
    ///   - maskingKey: the part's; `nil` if its payload is not masked.
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
