internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// `builtin: echo`: sends every message back. A message longer than one read goes back in fragments as it comes (RFC 6455 section 5.4), so
/// that it is never held whole.
final class EchoConversation: ServedSession {
    private var text = TextCheck()
    /// The message so far, while it is short.
    private var beginning: [UInt8] = []
    /// How the message in progress is sent back; `nil` if none of it was sent yet.
    private var pieces: MessagePieces?

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        guard self.text.accepts(part, in: buffer.span) else { return self.fail(.invalidUTF8) }
        switch (part.isFirst, part.isFinal, self.pieces) {
        case (true, true, _): self.sendMessage(part.messageOpcode, payloadAt: part.range, in: buffer)
        case (_, _, .some): self.sendPiece(part, in: buffer, &self.pieces)
        case (_, _, nil): self.gather(part, in: buffer)
        }
    }

    private func gather(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        self.beginning.append(buffer.span.extracting(part.range))
        if part.isFinal {
            let message = Message(opcode: part.messageOpcode, payload: self.beginning)
            self.beginning = []
            self.sendMessage(message)
        } else if self.beginning.count >= self.session.context.memory.readSize {
            let piece = self.beginning
            self.beginning = []
            self.sendPiece(of: part.messageOpcode, piece.span, isFinal: false, &self.pieces)
        }
    }

    override var assembledMemory: Int { self.beginning.capacity }

    override func closingBegan() { self.beginning = [] }

    // MARK: - Clients that do not read

    /// The most bytes that wait if messages have no limit.
    private static let mostWithoutLimit = 16 << 20

    /// A client that does not read its echo is not read, either. But in the middle of a message it is, unless memory is scarce: many
    /// clients read nothing before they have sent the whole message, and would wait for us forever.
    override var isHeldBack: Bool {
        guard self.session.isAboveHighWater(self.client) else { return false }
        return self.pieces == nil || self.client.queuedBytes > self.mostWaiting
    }

    override var isFull: Bool { self.session.isAboveHighWater(self.client) }

    /// One message, and what compression may add to it.
    override var mostWaiting: Int {
        guard !self.session.context.memory.bound.isScarce else { return 0 }
        return self.maximumMessage == 0
            ? Self.mostWithoutLimit : self.maximumMessage / 4 * 5 + ConnectionBuffers.mostPerRead
    }
}
