internal import System
internal import WebSocketProtocol

extension RoomMessages {
    /// The same messages, each compressed if that is worthwhile.
    func compressed(_ direction: DeflateParameters.Direction, _ compression: WorkerCompression) -> RoomMessages {
        var result = RoomMessages()
        var scratch = compression.takeScratch()
        defer { compression.giveBack(&scratch) }
        let span = self.bytes.span
        var position = 0
        // We encoded them, so each frame is whole and valid.
        while case .header(let header, let length) = FrameHeader.parse(span, at: position) {
            let end = position + length + header.payloadLength
            let payload = span.extracting((position + length)..<end)
            let deflater = { compression.deflater(direction) }
            if let frame = CompressedFrame.encode(header.opcode, payload, with: deflater, into: &scratch) {
                result.append(frame: scratch.span.extracting(frame.range), header.opcode, frame.payloadLength)
            } else {
                result.append(frame: span.extracting(position..<end), header.opcode, header.payloadLength)
            }
            position = end
        }
        return result
    }
}
