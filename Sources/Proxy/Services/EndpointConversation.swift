internal import Configuration
internal import DequeModule
internal import EventLoop
internal import WebSocketProtocol

/// A conversation in which we are the WebSocket server ourselves: pings are answered, messages are unmasked, and the closing
/// handshake is ours. What the messages are for is up to a subclass: a built-in service, or a bridge.
class EndpointConversation: Conversation {
    /// The session gives its conversation up when it ends.
    final let session: Session
    final private(set) var closing: ClosingHandshake
    /// What `closing` says, at hand: it is asked for every message, and is not small.
    final private var isOpen = true
    final private var listens = true
    final var detail: String?

    final var reader: FrameReader
    /// What we sent the client: in place of what a backend sends.
    final var sent = MessageTally()
    /// What of that its socket took.
    final var taken = TakenMessages()
    private var pings = PingSeries(nonce: Randomness.word())
    /// The beginning of a header, or of a control frame, whose rest has not come yet.
    private var held: [UInt8] = []
    /// The latest ping that is not answered yet, because the client does not read what it was sent.
    private var owedPong: [UInt8]?

    /// `nil` where messages are not compressed.
    final let compression: SessionCompression?
    /// The most bytes in a message of the client's, inflated; 0 is no limit.
    final let maximumMessage: Int
    /// What came of the message in progress so far, where there is compression and it came uncompressed.
    final var messageLength = 0
    /// The next inflated piece is the first of its message.
    final var isAtFirstPiece = true
    /// What was read and waits until a reader has caught up: a little input can inflate to a lot of output.
    final var backlog = Backlog()
    /// The payload so far of a compressed message that is not whole, where it is kept as it came.
    final var shelf: [UInt8] = []
    final var isReading = false
    /// What came out of the inflater in this turn of the loop.
    final var inflated = (turn: UInt64(0), count: 0)
    /// The most that may, in bytes, so that a little input of one session does not keep the others of its worker waiting.
    static let mostInflatedPerTurn = 256 << 10

    /// - Parameters:
    ///   - limitsMessages: whether the route's limits on messages hold; a bridge, which streams, can do without.
    ///   - compression: what was agreed with the client.
    init(
        _ session: Session, backend: ClosingHandshake.Backend = .builtin, limitsMessages: Bool = true,
        compression: DeflateParameters? = nil
    ) {
        self.session = session
        self.closing = ClosingHandshake(backend: backend)
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

    var waitsToBegin: Bool { false }

    func begin() {}

    /// A piece of a message came, unmasked and inflated, at `part.range` of `buffer`, in front of which there is room for a header.
    func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {}

    /// Whether more of what the client says would be too much for now: it is not read.
    var isHeldBack: Bool { false }

    /// Whether whoever gets what messages inflate to has enough for now: the rest stays as it came.
    var isFull: Bool { self.isHeldBack }

    /// How much of what the client says may wait before it is not read, in bytes.
    var mostWaiting: Int { 0 }

    /// Whether a compressed message is inflated once all of it is here, because what it inflates to would have to be kept till then.
    var inflatesWholeMessages: Bool { false }

    /// A part of such a message was kept.
    func shelved(_ part: FrameReader.DataPart) {}

    /// What is kept of the client's message in progress, in bytes.
    var assembledMemory: Int { 0 }

    /// The session begins to end; no more messages come or go.
    func closingBegan() {}

    /// The time that was set (`Session.setTick`) has come, and the session is open.
    func tick() {}

    /// The client has read enough of what it was sent.
    func clientDrained() {}

    /// Something came from, or happened to, the backend's leg.
    func receivedFromBackend(_ range: Range<Int>) {}
    func backendEnds() {}
    func backendDrained() {}

    /// Breaks off because of what the client sent.
    final func fail(_ violation: Violation) {
        self.detail = violation.description
        self.perform(self.closing.violated(violation, by: .client, self.places))
    }

    /// What we send a client is whole frames only, so that a Close always has its place.
    private var places: ClosingHandshake.Places {
        ClosingHandshake.Places(clientIsInsideOfMessage: !self.reader.isAtMessageBoundary)
    }

    final var client: Transport? { self.session.client }

    // MARK: - Conversation

    final var tally: PerLeg<MessageTally> {
        let sent = self.client.map { self.taken.taken(of: self.sent, $0.writing) } ?? self.sent
        return PerLeg(client: self.receivedTally, backend: sent)
    }

    /// What came from the client and has gone where it is to go.
    var receivedTally: MessageTally { self.reader.tally }

    final func received(_ range: Range<Int>, from leg: Leg) {
        guard leg == .client else { return self.receivedFromBackend(range) }
        guard self.listens else { return }
        guard self.backlog.isEmpty else {
            self.backlog.append(Unread(bytes: self.session.worker.buffers.copy(range), part: nil))
            self.pauseIfTooMuchWaits()
            return self.countMemory()
        }
        self.isReading = true
        self.read(range, from: nil)
        self.isReading = false
        if !self.backlog.isEmpty { return self.readWhatWasPutBack() }
        if !self.reader.isAtMessageBoundary || self.session.memory.assembled > 0 { self.countMemory() }
    }

    final func continued() { self.catchUp() }

    /// - Parameter part: what begins at `range`, if it is not a frame.
    func read(_ range: Range<Int>, from part: FrameReader.DataPart?) {
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
        while self.listens {
            let event = self.reader.next(plaintext.span.extracting(0..<bytes.upperBound), at: &position)
            switch event {
            case .end: return
            case .incomplete:
                self.held = buffers.copy(position..<bytes.upperBound)
                return
            case .violation(let violation): return self.fail(violation)
            case .control(let frame): self.received(frame)
            case .data(let part):
                guard self.isOpen else { continue }
                self.dataPassed()
                if let key = part.maskingKey {
                    var payload = plaintext.mutableSpan
                    Masking.apply(key, to: &payload, range: part.range)
                }
                if !part.isFinal, !part.range.isEmpty { self.session.madeProgress() }
                if part.isCompressed, self.inflatesWholeMessages, !part.isFinal || !self.shelf.isEmpty {
                    guard !self.shelve(part, end: bytes.upperBound) else { return }
                } else if part.isCompressed {
                    guard self.inflate(part, end: bytes.upperBound) else { return }
                } else if self.isWithinLimit(part) {
                    self.received(part, in: plaintext)
                }
            }
        }
    }

    private func received(_ frame: ControlFrame) {
        let plaintext = self.session.worker.buffers.plaintext
        let payload = frame.payload(in: plaintext.span)
        switch frame.opcode {
        case .ping:
            if self.closing.isOpen { self.answerPing(payload) }
        case .close:
            guard let close = try? CloseFrame(payload: payload.span) else { return }
            self.perform(self.closing.received(close, from: .client))
        case .pong:
            if case .latest = self.pings.received(frame, in: plaintext.span) { self.session.pingAnswered(.client) }
        case .text, .binary, .continuation: break
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

    final func happened(_ event: ClosingHandshake.Event, detail: String?) {
        // What it sent last may be part of a message.
        if case .ended(.backend, inOrder: true) = event, self.closing.isOpen { self.backendEnds() }
        let before = self.closing.ending
        let actions = self.closing.happened(event, self.places)
        if self.closing.ending != before { self.detail = detail }
        self.perform(actions)
    }

    final func ping(_ leg: Leg) {
        if leg == .client { self.client?.sendPing(Frame.ping(self.pings.next())) }
    }

    final func dataPassed() { self.session.deadlines.lastData = self.session.worker.loop.now }

    final func drained(_ leg: Leg) {
        guard leg == .client else { return self.backendDrained() }
        if self.closing.isOpen, let payload = self.owedPong { self.client?.send(Frame.pong(payload).span) }
        self.owedPong = nil
        self.clientDrained()
        self.catchUp()
    }

    final func close(_ ending: Ending) { self.perform(self.closing.close(ending, self.places)) }

    final func timerFired() {
        if self.closing.isOpen { self.tick() }
    }

    private var hasBegunClosing = false

    private func perform(_ actions: ClosingHandshake.Actions) {
        self.isOpen = self.closing.isOpen
        self.listens = self.closing.reads(from: .client)
        if !self.closing.isOpen, !self.hasBegunClosing {
            self.hasBegunClosing = true
            self.session.beginClosing()
            self.closingBegan()
        }
        if case .close(let close) = actions.client.say { self.client?.send(Frame.close(close).span) }
        // Messages are over; the client's own Close may wait among them.
        if !self.closing.isOpen {
            self.shelf = []
            self.readBacklog()
        }
        self.session.end(.backend, as: actions.backend.end)
        self.session.end(.client, as: actions.client.end)
    }
}
