internal import Configuration
internal import DequeModule
internal import EventLoop
internal import WebSocketProtocol

/// A conversation in which we are the WebSocket server ourselves: pings are answered, messages are unmasked, and the closing
/// handshake is ours. What the messages are for is up to a subclass: a built-in service, or a bridge.
class EndpointConversation: Conversation {
    unowned let session: Session
    private(set) var closing = ClosingHandshake(hasBackend: false)
    var detail: String?

    private var reader: FrameReader
    /// What we sent the client: in place of what a backend sends.
    private var sent = MessageTally()
    /// The beginning of a header, or of a control frame, whose rest has not come yet.
    private var held: [UInt8] = []
    /// The latest ping that is not answered yet, because the client does not read what it was sent.
    private var owedPong: [UInt8]?

    /// `nil` where messages are not compressed.
    let compression: SessionCompression?
    /// The most bytes in a message of the client's, inflated; 0 is no limit.
    private let maximumMessage: Int
    /// What came of the message in progress so far, where there is compression and it came uncompressed.
    private var messageLength = 0
    /// The next inflated piece is the first of its message.
    private var isAtFirstPiece = true
    /// What was read and waits until a reader has caught up: a little input can inflate to a lot of output.
    private var backlog: Deque<Unread> = []
    private var isReading = false
    /// What came out of the inflater in this turn of the loop.
    private var inflated = (turn: UInt64(0), count: 0)
    /// The most that may, in bytes, so that a little input of one session does not keep the others of its worker waiting.
    private static let mostInflatedPerTurn = 256 << 10

    /// - Parameters:
    ///   - limitsMessages: whether the route's limits on messages hold; a bridge, which streams, can do without.
    ///   - compression: what was agreed with the client.
    init(_ session: Session, limitsMessages: Bool = true, compression: DeflateParameters? = nil) {
        self.session = session
        let limits = session.route?.settings.limits ?? Limits()
        self.maximumMessage = limitsMessages ? limits.message.rawValue : 0
        self.compression = compression.map { SessionCompression($0, session.worker.compression) }
        // What cannot be compressed grows by it, and may: the limit is on what it inflates to.
        let slack = compression == nil || self.maximumMessage == 0 ? 0 : self.maximumMessage / 4 + 1024
        self.reader = FrameReader(
            rules: .init(
                expectsMask: true, allowsCompression: compression != nil, maximumMessage: self.maximumMessage + slack,
                maximumFragments: limitsMessages ? limits.fragments : 0))
    }

    // MARK: - For subclasses

    var phase: Phase { .serve }

    func begin() {}

    /// A piece of a message came, unmasked and inflated, at `part.range` of `buffer`, in front of which there is room for a header.
    func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {}

    /// Whether more of what the client says would be too much for now.
    var isHeldBack: Bool { false }

    /// The session begins to end; no more messages come or go.
    func closingBegan() {}

    /// The timer that was set while the session is open.
    func tick() {}

    /// The client has read enough of what it was sent.
    func clientDrained() {}

    /// Something came from, or happened to, the backend's leg.
    func receivedFromBackend(_ range: Range<Int>) {}
    func backendEnded(failure: String?) {}
    func backendDrained() {}

    /// What is to be done with the backend's leg when the client's Close came, or the client went.
    func clientClosed() {}
    func clientGone() {}

    /// Breaks off because of what the client sent.
    final func fail(_ violation: Violation) {
        self.detail = violation.description
        self.perform(self.closing.violated(violation, by: .client, canSend: self.canSend))
    }

    /// What we send a client is whole frames only, so that a Close always has its place.
    private var canSend: PerLeg<Bool> { PerLeg(client: true, backend: true) }

    var client: Transport? { self.session.client }

    // MARK: - Conversation

    final var tally: PerLeg<MessageTally> { PerLeg(client: self.reader.tally, backend: self.sent) }

    final func received(_ range: Range<Int>, from leg: Leg) {
        guard leg == .client else { return self.receivedFromBackend(range) }
        guard self.closing.reads(from: .client) else { return }
        guard self.backlog.isEmpty else {
            return self.backlog.append(Unread(bytes: self.session.worker.buffers.copy(range), part: nil))
        }
        self.isReading = true
        self.read(range, from: nil)
        self.isReading = false
    }

    final func continued() { self.catchUp() }

    /// Goes on with what had to wait, and then with reading.
    final func catchUp() {
        self.readBacklog()
        // "Later" may have come in the same turn still.
        if !self.backlog.isEmpty, !self.isHeldBack { self.client?.readAgainLater() }
        guard let client = self.client, client.isPaused, self.backlog.isEmpty, !self.isHeldBack else { return }
        client.resume()
        self.session.pump(.client)
    }

    private func readBacklog() {
        guard !self.isReading else { return }
        self.isReading = true
        while !self.backlog.isEmpty, !self.mustWait || !self.closing.isOpen {
            let unread = self.backlog.removeFirst()
            guard self.closing.reads(from: .client) else { continue }
            self.read(self.session.worker.buffers.place(unread.bytes.span), from: unread.part)
        }
        self.isReading = false
    }

    /// - Parameter part: what begins at `range`, if it is not a frame.
    private func read(_ range: Range<Int>, from part: FrameReader.DataPart?) {
        let buffers = self.session.worker.buffers
        let plaintext = buffers.plaintext
        let bytes = self.held.isEmpty ? range : buffers.prepend(self.held, to: range)
        self.held = []
        var position = bytes.lowerBound
        if var part {
            part.range = position..<(position + part.range.count)
            position = part.range.upperBound
            guard self.inflate(part, end: bytes.upperBound) else { return }
        }
        while self.closing.reads(from: .client) {
            let event = self.reader.next(plaintext.span.extracting(0..<bytes.upperBound), at: &position)
            switch event {
            case .end: return
            case .incomplete:
                self.held = buffers.copy(position..<bytes.upperBound)
                return
            case .violation(let violation): return self.fail(violation)
            case .control(let frame): self.received(frame)
            case .data(let part):
                guard self.closing.isOpen else { continue }
                if let key = part.maskingKey {
                    var payload = plaintext.mutableSpan
                    Masking.apply(key, to: &payload, range: part.range)
                }
                if part.isCompressed {
                    guard self.inflate(part, end: bytes.upperBound) else { return }
                } else if self.isWithinLimit(part) {
                    self.received(part, in: plaintext)
                }
            }
        }
    }

    /// The reader's own limit has slack where there is compression.
    private func isWithinLimit(_ part: FrameReader.DataPart) -> Bool {
        guard self.compression != nil, self.maximumMessage > 0 else { return true }
        let length = (part.isFirst ? 0 : self.messageLength) + part.range.count
        self.messageLength = length
        guard length + self.reader.remainingInFrame <= self.maximumMessage else {
            self.fail(.messageTooBig)
            return false
        }
        return true
    }

    /// Whether the session has had its share of this turn, or whoever gets what the client says has enough of it.
    private var mustWait: Bool {
        let turn = self.session.worker.loop.turns
        if self.inflated.turn != turn { self.inflated = (turn, 0) }
        return self.inflated.count >= Self.mostInflatedPerTurn || self.isHeldBack
    }

    /// Passes on what a part of a compressed message inflates to, a buffer at a time.
    ///
    /// - Parameter end: of what was read.
    /// - Returns: false if the rest has to wait.
    private func inflate(_ part: FrameReader.DataPart, end: Int) -> Bool {
        guard let compression = self.compression else { return true }
        let buffers = self.session.worker.buffers
        let plaintext = buffers.plaintext
        let inflated = buffers.inflated
        let headroom = WorkerBuffers.headroom
        let inflater = compression.takeInflater(maximumMessage: self.maximumMessage)
        var taken = 0
        while self.closing.isOpen {
            guard !self.mustWait else {
                let rest = part.range.lowerBound + taken
                var unread = Unread(bytes: buffers.copy(rest..<end), part: part)
                unread.part?.range = 0..<(part.range.upperBound - rest)
                self.backlog.prepend(unread)
                self.client?.pause()
                if !self.isHeldBack { self.client?.readAgainLater() }
                return false
            }
            var buffer = inflated.mutableSpan
            var room = buffer._mutatingExtracting(headroom..<inflated.count)
            let input = plaintext.span.extracting(part.range)
            switch inflater.inflate(input, at: &taken, isFinal: part.isFinal, into: &room) {
            case .violation(let violation): self.fail(violation)
            case .more(let count): self.received(count, of: part, isFinal: false)
            case .end(let count):
                if part.isFinal { compression.giveBack(inflater) }
                self.received(count, of: part, isFinal: part.isFinal)
                return true
            }
        }
        return true
    }

    /// The next `count` bytes of a compressed message are in the buffer for them.
    private func received(_ count: Int, of part: FrameReader.DataPart, isFinal: Bool) {
        guard count > 0 || isFinal else { return }
        self.inflated.count += count
        let start = WorkerBuffers.headroom
        let piece = FrameReader.DataPart(
            messageOpcode: part.messageOpcode, range: start..<(start + count), maskingKey: nil,
            isFirst: self.isAtFirstPiece, isFinal: isFinal, isCompressed: false)
        self.isAtFirstPiece = isFinal
        self.received(piece, in: self.session.worker.buffers.inflated)
    }

    private func received(_ frame: ControlFrame) {
        let plaintext = self.session.worker.buffers.plaintext
        let payload = frame.payload(in: plaintext.span)
        switch frame.opcode {
        case .ping:
            if self.closing.isOpen { self.answerPing(payload) }
        case .close:
            guard let close = try? CloseFrame(payload: payload.span) else { return }
            let wasOpen = self.closing.isOpen
            let actions = self.closing.received(close, from: .client)
            if wasOpen { self.clientClosed() }
            self.perform(actions)
        case .pong, .text, .binary, .continuation: break
        }
    }

    /// A client that does not read gets an answer to its latest ping only, and later (RFC 6455 section 5.5.3): pings are no
    /// way around the limit of the queue.
    private func answerPing(_ payload: [UInt8]) {
        guard let client = self.client else { return }
        if self.session.isAboveHighWater(client) {
            self.owedPong = payload
        } else {
            client.send(Frame.pong(payload).span)
        }
    }

    final func ended(_ leg: Leg, failure: String?) {
        guard leg == .client else { return self.backendEnded(failure: failure) }
        if self.closing.isOpen { self.detail = failure }
        self.clientGone()
        self.perform(self.closing.ended(.client, canSend: self.canSend))
    }

    final func drained(_ leg: Leg) {
        guard leg == .client else { return self.backendDrained() }
        if self.closing.isOpen, let payload = self.owedPong { self.client?.send(Frame.pong(payload).span) }
        self.owedPong = nil
        self.clientDrained()
        self.catchUp()
    }

    final func close(_ ending: Ending) { self.perform(self.closing.close(ending, canSend: self.canSend)) }

    final func timerFired() {
        if self.closing.isOpen { self.tick() } else { self.perform(self.closing.timedOut(canSend: self.canSend)) }
    }

    private var hasBegunClosing = false

    private func perform(_ actions: ClosingHandshake.Actions) {
        if !self.closing.isOpen, !self.hasBegunClosing {
            self.hasBegunClosing = true
            self.session.beginClosing()
            self.closingBegan()
        }
        if case .close(let close) = actions.client.say { self.client?.send(Frame.close(close).span) }
        // Messages are over; the client's own Close may wait among them.
        if !self.closing.isOpen { self.readBacklog() }
        switch actions.client.end {
        case .notYet: break
        case .finish: self.session.linger(.client)
        case .cut: self.session.closeLeg(.client)
        }
    }

    // MARK: - Sending

    /// Sends a message whose payload lies at `range` of `buffer`. Uncompressed, its header is written right in front of it: over the
    /// client's own header or into the headroom.
    final func sendMessage(_ opcode: Opcode, payloadAt range: Range<Int>, in buffer: ReadBuffer) {
        guard !self.sendCompressed(opcode, buffer.span.extracting(range)) else { return }
        self.count(opcode, payload: range.count)
        let header = FrameHeader(fin: true, rsv1: false, opcode: opcode, payloadLength: range.count, maskingKey: nil)
        let start = range.lowerBound - header.encodedLength
        var bytes = buffer.mutableSpan
        _ = header.encode(into: &bytes, at: start)
        self.client?.send(buffer.span.extracting(start..<range.upperBound))
    }

    final func sendMessage(_ message: Message) {
        guard !self.sendCompressed(message.opcode, message.payload.span) else { return }
        self.count(message.opcode, payload: message.payload.count)
        var header: [UInt8] = []
        FrameHeader(
            fin: true, rsv1: false, opcode: message.opcode, payloadLength: message.payload.count, maskingKey: nil
        )
        .append(to: &header)
        self.client?.send(header.span)
        self.client?.send(message.payload.span)
    }

    /// False if nothing was sent, because compression was not agreed on, or not worthwhile.
    private func sendCompressed(_ opcode: Opcode, _ payload: Span<UInt8>) -> Bool {
        guard let compression = self.compression else { return false }
        var scratch = self.session.worker.compression.takeScratch()
        let frame = CompressedFrame.encode(opcode, payload, with: { compression.deflater }, into: &scratch)
        if let frame {
            self.count(opcode, payload: frame.payloadLength)
            self.client?.send(scratch.span.extracting(frame.range))
        }
        self.session.worker.compression.giveBack(&scratch)
        return frame != nil
    }

    final func count(_ opcode: Opcode, payload length: Int) {
        if opcode == .text { self.sent.text &+= 1 } else { self.sent.binary &+= 1 }
        self.sent.payloadBytes &+= UInt64(length)
    }
}

/// What a client said and nobody looked at yet.
private struct Unread {
    var bytes: [UInt8]
    /// What the bytes begin with, if not with the rest of a frame: payload of a compressed message, unmasked.
    var part: FrameReader.DataPart?
}
