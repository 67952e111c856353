/// Makes whole frames.
package enum Frame {
    package static func close(_ close: CloseFrame, maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.close, close.payload, maskingKey: maskingKey)
    }

    /// - Parameter payload: at most 125 bytes.
    package static func ping(_ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.ping, payload, maskingKey: maskingKey)
    }

    /// - Parameter payload: the ping's.
    package static func pong(_ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        self.encoded(.pong, payload, maskingKey: maskingKey)
    }

    /// A message of one frame, or a control frame.
    package static func encoded(_ opcode: Opcode, _ payload: [UInt8], maskingKey: MaskingKey? = nil) -> [UInt8] {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count, maskingKey: maskingKey)
        var frame: [UInt8] = []
        frame.reserveCapacity(header.encodedLength + payload.count)
        header.append(to: &frame)
        let start = frame.count
        frame += payload
        if let maskingKey {
            var bytes = frame.mutableSpan
            Masking.apply(maskingKey, to: &bytes, range: start..<bytes.count)
        }
        return frame
    }
}
