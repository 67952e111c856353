internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// WebSocket to TCP and back. The payload of the client's messages is written to the backend as it comes, and each read from the backend
/// becomes a message.
///
/// A bridge streams: it never holds a whole message. The backend's end of file becomes a Close 1000, its reset a Close 1011. The client's
/// Close becomes an end of file for the backend, and is answered when everything before it was delivered. Any other end does the same,
/// unless it interrupts a message: an incomplete upload must not look complete.
final class BridgeConversation: ServedSession {
    private let backend: Connection
    private let message: BridgeMessage
    private var text = TextCheck()
    /// In text mode, the bytes of an incomplete character; at most 3.
    private var partialCharacter: [UInt8] = []
    /// The client's messages that the server's socket has accepted.
    private var delivered = TakenMessages()
    /// The client's messages that were sent to the server or gathered; `flushedToServer` counts only those that were sent.
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
        // After the client's Close, what the server still sends is discarded.
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

    /// A text message has whole characters (RFC 6455 section 5.6), wherever TCP split them.
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

    /// The server sent invalid UTF-8.
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

    /// The server's end may have interrupted a character.
    override func backendEnds() {
        guard !self.partialCharacter.isEmpty else { return }
        self.partialCharacter = []
        self.sendMessage(Message(opcode: .text, payload: UTF8Validator.replacement))
    }
}
