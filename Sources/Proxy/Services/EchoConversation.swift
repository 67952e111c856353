internal import EventLoop
internal import WebSocketProtocol

/// Sends every message back as it came: `builtin: echo`. One that is too long for a read is not held until it is whole, but goes back in
/// pieces as it comes, as fragments of one message (RFC 6455 section 5.4).
final class EchoConversation: EndpointConversation {
    private var text = TextCheck()
    /// The beginning of a message, as long as it is short.
    private var beginning: [UInt8] = []
    /// How the message in progress goes back; `nil`: nothing of it did yet.
    private var pieces: MessagePieces?

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        guard self.text.accepts(part, in: buffer.span) else { return self.fail(.invalidUTF8) }
        switch (part.isFirst, part.isFinal, self.pieces) {
        case (true, true, _): self.sendMessage(part.messageOpcode, payloadAt: part.range, in: buffer)
        case (_, _, .some): self.sendPiece(part, in: buffer, &self.pieces)
        case (_, _, nil): self.gather(part, in: buffer)
        }
        self.pauseIfBehind()
    }

    private func gather(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        self.beginning.append(buffer.span.extracting(part.range))
        if part.isFinal {
            let message = Message(opcode: part.messageOpcode, payload: self.beginning)
            self.beginning = []
            self.sendMessage(message)
        } else if self.beginning.count >= self.session.worker.memory.readSize {
            let piece = self.beginning
            self.beginning = []
            self.sendPiece(of: part.messageOpcode, piece.span, isFinal: false, &self.pieces)
        }
    }

    override var assembledMemory: Int { self.beginning.capacity }

    override func closingBegan() { self.beginning = [] }

    /// A client that does not read its echo is not read either.
    private func pauseIfBehind() {
        if self.isHeldBack { self.client?.pause() }
    }

    override var isHeldBack: Bool { self.client.map { self.session.isAboveHighWater($0) } ?? false }
}
