/// A whole close, ping or pong frame, as ranges of the bytes it was found in.
package struct ControlFrame: Hashable, Sendable {
    package let opcode: Opcode
    /// The frame, header and payload.
    package let range: Range<Int>
    /// The payload, still masked: at most 125 bytes.
    package let payloadRange: Range<Int>
    package let maskingKey: MaskingKey?

    package init(opcode: Opcode, range: Range<Int>, payloadRange: Range<Int>, maskingKey: MaskingKey?) {
        self.opcode = opcode
        self.range = range
        self.payloadRange = payloadRange
        self.maskingKey = maskingKey
    }

    /// A copy of the payload, unmasked, out of the bytes the frame was found in.
    package func payload(in bytes: Span<UInt8>) -> [UInt8] {
        var payload: [UInt8] = []
        Masking.appendXored(bytes.extracting(self.payloadRange), with: self.maskingKey, to: &payload)
        return payload
    }
}
