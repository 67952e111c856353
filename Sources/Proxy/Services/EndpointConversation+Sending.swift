internal import EventLoop
internal import WebSocketProtocol

/// What the client is sent: whole frames, compressed where that was agreed on and is worth it.
extension EndpointConversation {
    /// Sends a message whose payload lies at `range` of `buffer`. Uncompressed, its header is written right in front of it: over the
    /// client's own header or into the headroom.
    func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        guard !self.sendCompressed(opcode, buffer.span.extracting(range)) else { return }
        self.count(opcode, payload: range.count)
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.send(buffer.span.extracting(start..<range.upperBound), to: self.client)
    }

    func sendMessage(_ message: Message) {
        guard !self.sendCompressed(message.opcode, message.payload.span) else { return }
        self.count(message.opcode, payload: message.payload.count)
        var header: [UInt8] = []
        FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil
        )
        .append(to: &header)
        self.send(header.span, to: self.client, more: true)
        self.send(message.payload.span, to: self.client)
    }

    /// False if nothing was sent, because compression was not agreed on, or not worthwhile.
    private func sendCompressed(_ opcode: Opcode, _ payload: Span<UInt8>) -> Bool {
        guard let compression = self.compression else { return false }
        var scratch = self.session.worker.compression.takeScratch()
        let frame = CompressedFrame.encode(opcode, payload, with: { compression.deflater }, into: &scratch)
        if let frame {
            self.session.worker.loop.budget.spend(Work.compression + Work.deflated(payload.count))
            self.count(opcode, payload: frame.payloadLength)
            self.send(scratch.span.extracting(frame.range), to: self.client)
        }
        self.session.worker.compression.giveBack(&scratch)
        return frame != nil
    }

    func count(_ opcode: Opcode, payload length: Int) {
        if opcode == .text { self.sent.text &+= 1 } else { self.sent.binary &+= 1 }
        self.sent.payloadBytes &+= UInt64(length)
        self.dataPassed()
    }

    // MARK: - Bytes

    /// Sends whole frames to the client, or a message's bytes to a TCP server: together with what else the same read brings.
    ///
    /// - Parameter more: whether more follows in any case.
    func send(_ bytes: Span<UInt8>, to transport: Transport?, more: Bool = false) {
        guard let transport else { return }
        self.session.worker.gathered.send(bytes, to: transport, more: more || self.hasMore)
    }
}
