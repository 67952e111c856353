internal import Configuration
internal import EventLoop
internal import WebSocketProtocol

/// WebSocket to TCP and back: the payload of the client's messages, whichever kind, is written to the backend as it comes, and
/// what the backend sends becomes messages, one for each read.
///
/// A bridge streams: no message is ever held whole. How the ends map (design section 4, "Bridge"): TCP's end of file is a
/// Close 1000, its reset a Close 1014; the client's Close is an end of file for TCP, its disappearance a reset, unless
/// everything it sent was written.
final class BridgeConversation: EndpointConversation {
    private let message: BridgeMessage
    private var text = TextCheck()
    /// In text mode: the beginning of a character whose rest has not come yet; at most 3 bytes.
    private var partialCharacter: [UInt8] = []

    init(_ session: Session, message: BridgeMessage, compression: DeflateParameters?) {
        self.message = message
        super.init(
            session, limitsMessages: session.route?.settings.limitsMessagesItself ?? false, compression: compression)
    }

    override var phase: Phase { .bridge }

    private var backend: Transport? { self.session.backend }

    // MARK: - Client to backend

    override var isHeldBack: Bool { self.backend.map { self.session.isAboveHighWater($0) } ?? false }

    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        guard self.text.accepts(part, in: buffer.span) else { return self.fail(.invalidUTF8) }
        self.send(buffer.span.extracting(part.range), to: self.backend)
    }

    override func backendDrained() {
        self.catchUp()
    }

    // MARK: - Backend to client

    override func receivedFromBackend(_ range: Range<Int>) {
        // After the client's Close, what the server still says is read and dropped.
        guard self.closing.isOpen else { return }
        switch self.message {
        case .binary: self.forward(.binary, range)
        case .text: self.forwardText(range)
        }
        if let client = self.client, self.session.isAboveHighWater(client) { self.backend?.pause() }
    }

    private func forward(_ opcode: Opcode, _ range: Range<Int>) {
        if !range.isEmpty { self.sendMessage(opcode, payloadAt: range, in: self.session.worker.buffers.plaintext) }
    }

    /// A text message is whole characters (RFC 6455 section 5.6), wherever TCP cut them.
    private func forwardText(_ range: Range<Int>) {
        let buffers = self.session.worker.buffers
        let plaintext = buffers.plaintext
        let bytes = self.partialCharacter.isEmpty ? range : buffers.prepend(self.partialCharacter, to: range)
        let prefix = UTF8Validator.validPrefix(of: plaintext.span.extracting(bytes))
        let end = bytes.lowerBound + prefix.length
        self.partialCharacter = prefix.isInvalid ? [] : buffers.copy(end..<bytes.upperBound)
        self.forward(.text, bytes.lowerBound..<end)
        if prefix.isInvalid {
            self.detail = "the server sent what is not UTF-8, and the backend has message: text"
            self.close(.by(.backend, .invalidData))
        }
    }

    override func clientDrained() {
        self.session.resume(.backend)
    }

    // MARK: - Ends

    override func backendEnded(failure: String?) {
        guard self.closing.isOpen else { return self.session.closeLeg(.backend) }
        if let failure {
            self.detail = failure
            self.close(.by(.backend, .backendGone))
        } else if !self.partialCharacter.isEmpty {
            self.detail = "the server's text ended inside of a character"
            self.close(.by(.backend, .invalidData))
        } else {
            self.close(.by(.backend, .backendClosed))
        }
        self.session.closeLeg(.backend)
    }

    /// It takes nothing any more: what waits for it is lost, and it must not take what it got for all there was.
    override func backendLost(_ cause: Cause, failure: String?) {
        if self.closing.isOpen {
            self.detail = failure
            self.close(.by(.backend, cause))
        }
        self.session.closeLeg(.backend, abruptly: true)
    }

    override func clientClosed() {
        self.session.finishWriting(.backend)
    }

    override func clientGone() {
        guard self.closing.isOpen, let backend = self.backend else { return }
        if backend.hasSentAll() {
            self.session.finishWriting(.backend)
        } else {
            self.session.closeLeg(.backend, abruptly: true)
        }
    }

    override func closingBegan() {
        // Whatever else ends the session ends the server's side, too; it has what came before.
        self.session.finishWriting(.backend)
    }
}
