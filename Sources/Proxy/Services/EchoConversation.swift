internal import EventLoop
internal import WebSocketProtocol

/// Sends every message back as it came: `builtin: echo`.
final class EchoConversation: EndpointConversation {
    private var assembler = MessageAssembler()

    override func received(_ part: FrameReader.DataPart) {
        if part.isFirst, part.isFinal { return self.echoWhereItLies(part) }
        let plaintext = self.session.worker.buffers.plaintext
        switch self.assembler.add(part, payload: plaintext.span.extracting(part.range)) {
        case .incomplete: break
        case .message(let message):
            self.sendMessage(message)
            self.pauseIfBehind()
        case .violation(let violation): self.fail(violation)
        }
    }

    /// A message that came whole in one read goes back from the same place.
    private func echoWhereItLies(_ part: FrameReader.DataPart) {
        if part.messageOpcode == .text {
            var validator = UTF8Validator()
            let plaintext = self.session.worker.buffers.plaintext
            guard validator.consume(plaintext.span.extracting(part.range)), validator.isComplete else {
                return self.fail(.invalidUTF8)
            }
        }
        self.sendMessage(part.messageOpcode, payloadAt: part.range)
        self.pauseIfBehind()
    }

    /// A client that does not read its echo is not read either.
    private func pauseIfBehind() {
        if let client = self.client, self.session.isAboveHighWater(client) { client.pause() }
    }

    override func clientDrained() { self.session.resume(.client) }
}
