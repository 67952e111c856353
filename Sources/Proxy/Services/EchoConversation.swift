internal import EventLoop
internal import WebSocketProtocol

/// Sends every message back as it came: `builtin: echo`.
final class EchoConversation: EndpointConversation {
    private var assembler = MessageAssembler()

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        if part.isFirst, part.isFinal { return self.echoWhereItLies(part, in: buffer) }
        switch self.assembler.add(part, payload: buffer.span.extracting(part.range)) {
        case .incomplete: break
        case .message(let message): self.sendMessage(message)
        case .violation(let violation): self.fail(violation)
        }
    }

    /// A message that came whole in one read goes back from the same place.
    private func echoWhereItLies(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        if part.messageOpcode == .text {
            var validator = UTF8Validator()
            guard validator.consume(buffer.span.extracting(part.range)), validator.isComplete else {
                return self.fail(.invalidUTF8)
            }
        }
        self.sendMessage(part.messageOpcode, payloadAt: part.range, in: buffer)
    }

    /// A client that does not read its echo is not read either.
    override var isHeldBack: Bool { self.client.map { self.session.isAboveHighWater($0) } ?? false }
}
