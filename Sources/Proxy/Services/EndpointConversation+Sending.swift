internal import EventLoop
internal import WebSocketProtocol

/// What the client is sent: whole frames, compressed where that was agreed on and is worth it.
extension EndpointConversation {
    /// Sends a message whose payload lies at `range` of `buffer`. Uncompressed, its header is written right in front of it: over the
    /// client's own header or into the headroom.
    func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        guard !self.sendCompressed(opcode, buffer.span.extracting(range)) else { return }
        let before = self.count(opcode, payload: range.count)
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.client?.send(buffer.span.extracting(start..<range.upperBound))
        self.hasSent(since: before)
    }

    func sendMessage(_ message: Message) {
        guard !self.sendCompressed(message.opcode, message.payload.span) else { return }
        let before = self.count(message.opcode, payload: message.payload.count)
        var header: [UInt8] = []
        FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil
        )
        .append(to: &header)
        self.client?.send(header.span)
        self.client?.send(message.payload.span)
        self.hasSent(since: before)
    }

    /// False if nothing was sent, because compression was not agreed on, or not worthwhile.
    private func sendCompressed(_ opcode: Opcode, _ payload: Span<UInt8>) -> Bool {
        guard let compression = self.compression else { return false }
        var scratch = self.session.worker.compression.takeScratch()
        let frame = CompressedFrame.encode(opcode, payload, with: { compression.deflater }, into: &scratch)
        if let frame {
            let before = self.count(opcode, payload: frame.payloadLength)
            self.client?.send(scratch.span.extracting(frame.range))
            self.hasSent(since: before)
        }
        self.session.worker.compression.giveBack(&scratch)
        return frame != nil
    }

    /// Counts a message that is about to be sent. Returns what was counted before.
    func count(_ opcode: Opcode, payload length: Int) -> MessageTally {
        let before = self.sent
        if opcode == .text { self.sent.text &+= 1 } else { self.sent.binary &+= 1 }
        self.sent.payloadBytes &+= UInt64(length)
        self.dataPassed()
        return before
    }

    /// The message was sent.
    func hasSent(since before: MessageTally) {
        if let client = self.client, client.hasUntaken { self.taken.sent(before, self.sent, client.writing) }
    }
}
