/// A whole close, ping or pong frame, as ranges of the bytes that it was found in.
public struct ControlFrame: Hashable, Sendable {
    /// `close`, `ping` or `pong`.
    public let opcode: Opcode
    /// Header and payload.
    public let range: Range<Int>
    /// The payload, still masked. At most 125 bytes.
    public let payloadRange: Range<Int>
    /// `nil` in a server's frame.
    public let maskingKey: MaskingKey?

    /// Both ranges are of the same bytes.
    public init(opcode: Opcode, range: Range<Int>, payloadRange: Range<Int>, maskingKey: MaskingKey?) {
        self.opcode = opcode
        self.range = range
        self.payloadRange = payloadRange
        self.maskingKey = maskingKey
    }

    /// A copy of the payload, unmasked.
    ///
    /// - Parameter bytes: those that the frame was found in.
    public func payload(in bytes: Span<UInt8>) -> [UInt8] {
        var payload: [UInt8] = []
        Masking.appendXored(bytes.extracting(self.payloadRange), with: self.maskingKey, to: &payload)
        return payload
    }
}
