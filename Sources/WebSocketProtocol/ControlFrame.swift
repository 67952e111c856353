/// A whole control frame, as it lies among other bytes.
package struct ControlFrame: Hashable, Sendable {
    /// `.close`, `.ping` or `.pong`.
    package let opcode: Opcode
    /// The whole frame.
    package let range: Range<Int>
    package let payloadRange: Range<Int>
    package let maskingKey: MaskingKey?

    /// A copy of the payload, unmasked: at most 125 bytes.
    ///
    /// - Parameter bytes: those the frame was found in.
    package func payload(in bytes: Span<UInt8>) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(self.payloadRange.count)
        for (index, position) in self.payloadRange.enumerated() {
            payload.append(bytes[position] ^ (self.maskingKey?[index] ?? 0))
        }
        return payload
    }
}
