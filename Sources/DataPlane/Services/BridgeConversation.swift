internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// WebSocket to TCP and back: the payload of the client's messages, whichever kind, is written to the backend as it comes, and
/// what the backend sends becomes messages, one for each read.
///
/// A bridge streams: no message is ever held whole. How the ends map (design section 4, "Bridge"): TCP's end of file is a
/// Close 1000, its reset a Close 1011; the client's Close is an end of file for TCP, and is answered when all that came before it was
/// delivered. Whatever else ends the session does the same for what the client sent, but for a message that breaks off in the middle: a cut
/// upload must not look complete.
final class BridgeConversation: ServedSession {
    private let backend: Connection
    private let message: BridgeMessage
    private var text = TextCheck()
    /// In text mode: the beginning of a character whose rest has not come yet; at most 3 bytes.
    private var partialCharacter: [UInt8] = []
    /// What the server's socket took of the client's messages.
    private var delivered = TakenMessages()
    /// What came from the client and was sent to the server, or put together with what follows; and what of it was sent.
    private var passed = MessageTally()
    private var flushedToServer = MessageTally()

    init(
        _ session: Session, _ connections: PerLeg<Connection>, message: BridgeMessage, compression: SessionCompression?
    ) {
        self.backend = connections.backend
        self.message = message
        super.init(
            session, connections.client, limitsMessages: session.route?.settings.limitsMessagesItself ?? false,
            compression: compression)
    }

    // MARK: - Client to backend

    override var isHeldBack: Bool { self.session.isAboveHighWater(self.backend) }

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        guard self.text.accepts(part, in: buffer.span) else { return self.fail(.invalidUTF8) }
        self.send(buffer.span.extracting(part.range), to: self.backend)
        self.passed = self.reader.tally
        if self.isFlushed { self.didFlush() }
    }

    override func didFlush() {
        defer { self.flushedToServer = self.passed }
        guard self.backend.hasUntaken else { return }
        self.delivered.sent(self.flushedToServer, self.passed, self.backend.writing)
    }

    override var receivedTally: MessageTally {
        self.delivered.taken(of: self.passed, self.backend.writing)
    }

    override func backendDrained() {
        self.catchUp()
    }

    // MARK: - Backend to client

    override func receivedFromBackend(_ range: Range<Int>) {
        // After the client's Close, what the server still says is read and dropped.
        guard self.isOpen else { return }
        switch self.message {
        case .binary: self.forward(.binary, range)
        case .text: self.forwardText(range)
        }
        if self.session.isAboveHighWater(self.client) { self.backend.pause() }
    }

    private func forward(_ opcode: Opcode, _ range: Range<Int>) {
        if !range.isEmpty { self.sendMessage(opcode, payloadAt: range, in: self.plaintext) }
    }

    /// A text message is whole characters (RFC 6455 section 5.6), wherever TCP cut them.
    private func forwardText(_ range: Range<Int>) {
        let buffers = self.buffers
        let plaintext = buffers.plaintext
        let bytes = self.partialCharacter.isEmpty ? range : buffers.prepend(self.partialCharacter, to: range)
        let prefix = UTF8Validator.validPrefix(of: plaintext.span.extracting(bytes))
        guard !prefix.isInvalid else { return self.forwardRepaired(bytes) }
        let end = bytes.lowerBound + prefix.length
        self.partialCharacter = buffers.copy(end..<bytes.upperBound)
        self.forward(.text, bytes.lowerBound..<end)
    }

    /// The server sent what is not UTF-8.
    private func forwardRepaired(_ range: Range<Int>) {
        let plaintext = self.plaintext
        let repaired = UTF8Validator.repair(plaintext.span.extracting(range))
        self.partialCharacter = repaired.rest
        self.sendMessage(Message(opcode: .text, payload: repaired.text))
    }

    override func clientDrained() {
        self.session.resume(.backend)
    }

    // MARK: - Ends

    /// A character that its end has cut.
    override func backendEnds() {
        guard !self.partialCharacter.isEmpty else { return }
        self.partialCharacter = []
        self.sendMessage(Message(opcode: .text, payload: UTF8Validator.replacement))
    }
}
