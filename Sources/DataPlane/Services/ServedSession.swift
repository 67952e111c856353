internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// A conversation in which the gateway is the WebSocket server: it answers pings, unmasks messages, and owns the closing handshake. A
/// subclass, a built-in service or a bridge, handles the messages.
class ServedSession: Conversation {
    /// A reference cycle that the session breaks when it ends.
    final let session: Session
    final let client: Connection
    // The worker's. Constants, because following a reference through others costs a retain per message.
    final let loop: EventLoop
    final let plaintext: ReadBuffer
    final let gathered: GatheredSends
    /// A copy of what the closing handshake says, because every message asks for it. Nothing has ended the session yet.
    final private(set) var isOpen = true
    /// The client's frames are read, if only to find its Close.
    final private(set) var listens = true

    final var reader: FrameReader
    /// What we sent the client: a served session's counterpart of what a backend sends.
    final var sent = MessageTally()
    /// The part of `sent` that the socket has accepted.
    final var taken = TakenMessages()
    /// The part of `sent` that the connection has; the rest is gathered.
    final var flushed = MessageTally()
    private var pings = PingSeries(nonce: Randomness.word())
    /// The beginning of an incomplete header or control frame.
    private var held: [UInt8] = []
    /// The payload of the latest ping that is unanswered because the client does not read.
    private var owedPong: [UInt8]?

    /// `nil` without compression.
    final let compression: SessionCompression?
    /// The most bytes in a message from the client, inflated; 0 is no limit.
    final let maximumMessage: Int
    /// What was read and waits because the session's share of the turn was used up, or its receiver takes no more. Meanwhile the client is
    /// not read, so this is no more than one read and `mostWaiting`.
    final var backlog = Backlog()
    /// The payload so far of an incomplete compressed message that is kept as it came.
    final var shelf: [UInt8] = []
    /// The next inflated piece is the first of its message.
    final var isAtFirstPiece = true
    final var isReading = false
    /// More bytes of the same read still have to be read.
    final private(set) var hasMore = false
    /// The session is tailed: see `Session.tailed`.
    final private(set) var isTailed = false
    /// What is sent is neither deflated nor shown to a tail: the usual case, found with one comparison.
    final private(set) var sendsPlain: Bool

    /// - Parameters:
    ///   - limitsMessages: whether the route's limits on messages hold; a bridge streams and needs none.
    ///   - compression: what was agreed with the client.
    init(
        _ session: Session, _ client: Connection, limitsMessages: Bool = true, compression: SessionCompression? = nil
    ) {
        self.session = session
        self.client = client
        self.loop = session.loop
        self.plaintext = session.context.connections.buffers.plaintext
        self.gathered = session.context.gathered
        let limits = session.route?.settings.limits ?? Limits()
        self.maximumMessage = limitsMessages ? limits.message.rawValue : 0
        self.compression = compression
        self.sendsPlain = compression == nil
        // Incompressible data grows when deflated: allow slack; the real limit is on inflated bytes.
        let slack = compression == nil || self.maximumMessage == 0 ? 0 : self.maximumMessage / 4 + 1024
        self.reader = FrameReader(
            rules: .init(
                expectsMask: true, allowsCompression: compression != nil, maximumMessage: self.maximumMessage + slack,
                maximumFragments: limitsMessages ? limits.fragments : 0))
    }

    final var buffers: ConnectionBuffers { self.session.context.connections.buffers }

    // MARK: - For subclasses

    var waitsToBegin: Bool { false }

    func begin() {}

    /// A piece of a message came, unmasked and inflated, at `part.range` of `buffer`. There is room for a header before it.
    func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {}

    /// Whether no more should be read from the client for now.
    var isHeldBack: Bool { false }

    /// Whether the receiver of inflated messages takes no more for now: the rest stays compressed.
    var isFull: Bool { self.isHeldBack }

    /// How many compressed bytes may wait before the client is not read.
    var mostWaiting: Int { 0 }

    /// Whether a compressed message is inflated only when it is whole, because its inflated parts would have to be kept until then.
    var inflatesWholeMessages: Bool { false }

    /// A part of such a message was kept.
    func shelved(_ part: FrameReader.DataPart) {}

    /// How many bytes of the client's incomplete message are kept.
    var assembledMemory: Int { 0 }

    /// What was read has been passed on as far as possible for now.
    func didRead() {}

    /// Gathered bytes were sent.
    func didFlush() {}

    /// The session begins to close: no more messages come or go.
    func closingBegan() {}

    /// The time set by `Session.setTick` has come, and the session is open.
    func tick() {}

    /// The client has accepted enough of its queue.
    func clientDrained() {}

    /// Something came from the backend's leg, or happened to it.
    func receivedFromBackend(_ range: Range<Int>) {}
    func backendEnds() {}
    func backendDrained() {}

    /// Closes the session because the client broke a rule.
    ///
    /// - Parameter size: the bytes of its message if that is too big; `nil` if unknown.
    final func fail(_ violation: Violation, size: Int? = nil) {
        if self.isReading { self.passOn() }
        let words = violation.words(
            by: .client, size: size, message: self.maximumMessage, fragments: self.reader.rules.maximumFragments)
        self.session.violated(violation, by: .client, words)
    }

    /// A client is only sent whole frames, so a Close can be sent at any time.
    final var places: ClosingHandshake.Places {
        // What waits, here or in the kernel, will not be passed on.
        let hasMore = self.client.isPaused || self.client.mayRead
        return ClosingHandshake.Places(
            clientIsInsideOfMessage: !self.reader.isAtMessageBoundary, clientHasMore: hasMore || !self.backlog.isEmpty)
    }

    // MARK: - Rates

    final var takesMore: Bool { self.mayReadOn }

    final func takePlace() -> FramePlace? {
        guard let place = self.place(of: .client) else { return nil }
        self.held = []
        return place
    }

    // MARK: - Tails

    final func place(of leg: Leg) -> FramePlace? {
        guard leg == .client, self.backlog.isEmpty, !self.isReading else { return nil }
        return FramePlace(remaining: self.reader.remainingInFrame, held: self.held, message: self.reader.message)
    }

    final func setTailed(_ isTailed: Bool) {
        self.isTailed = isTailed
        self.sendsPlain = self.compression == nil && !isTailed
    }

    // MARK: - Conversation

    final var tally: PerLeg<MessageTally> {
        PerLeg(client: self.receivedTally, backend: self.taken.taken(of: self.sent, self.client.writing))
    }

    /// The client's messages that have been passed on.
    var receivedTally: MessageTally { self.session.closing?.forwarded.client ?? self.reader.tally }

    final func received(_ range: Range<Int>, from leg: Leg) {
        guard leg == .client else { return self.receivedFromBackend(range) }
        guard self.listens else { return }
        if !self.backlog.isEmpty {
            self.backlog.append(Unread(self.buffers.copy(range), part: nil))
        } else if let stop = self.read(range, from: nil) {
            let rest = Unread(self.buffers.copy(stop.position..<range.upperBound), part: stop.part)
            if let whole = stop.whole { self.backlog.append(whole) }
            if !rest.isDone { self.backlog.append(rest) }
            self.readBacklog()
        }
        self.settle()
    }

    final func continued() { self.catchUp() }

    /// Reads `range` of the worker's buffer.
    ///
    /// - Parameter part: the data part that begins there; `nil` if a frame does.
    /// - Returns: where it stopped if the rest has to wait; `nil` if there is no rest.
    final func read(_ range: Range<Int>, from part: FrameReader.DataPart?) -> Stop? {
        guard !self.mustWait else { return Stop(position: range.lowerBound, part: part) }
        self.isReading = true
        defer { self.isReading = false }
        let loop = self.loop
        let plaintext = self.plaintext
        let bytes = self.held.isEmpty ? range : self.buffers.prepend(self.held, to: range)
        if !self.held.isEmpty { self.held = [] }
        var position = bytes.lowerBound
        if var part {
            part.range = position..<(position + part.range.count)
            position = part.range.upperBound
            self.hasMore = position < bytes.upperBound
            if let stop = self.inflate(part) { return stop }
        }
        while self.listens, position < bytes.upperBound {
            if position > bytes.lowerBound, self.mustWait { return Stop(position: position, part: nil) }
            loop.budget.spend(Work.frame)
            let event = self.reader.next(plaintext.span.extracting(0..<bytes.upperBound), at: &position)
            self.hasMore = position < bytes.upperBound
            switch event {
            case .end: return nil
            case .incomplete:
                self.held = self.buffers.copy(position..<bytes.upperBound)
                return nil
            case .violation(let violation):
                let bytes = plaintext.span.extracting(0..<bytes.upperBound)
                self.fail(violation, size: self.reader.messageLength(with: bytes, at: position))
                return nil
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
                    if let whole = self.shelve(part) { return Stop(position: position, part: nil, whole: whole) }
                } else if part.isCompressed {
                    if let stop = self.inflate(part) { return stop }
                } else if self.isWithinLimit(part) {
                    self.received(part, in: plaintext)
                }
            }
        }
        return nil
    }

    /// Whether the session's share of this turn is used up, or its receiver takes no more. A session that only looks for a Close need not
    /// wait, because nothing of it is passed on.
    final var mustWait: Bool {
        self.isOpen && (self.loop.budget.isShareSpent || self.isHeldBack)
    }

    /// Sends gathered bytes, before anything that must follow them.
    private func passOn() {
        self.hasMore = false
        self.flush()
        self.didRead()
    }

    /// What came was read as far as possible for now. While some of it waits, the client is not read.
    final func settle() {
        self.passOn()
        self.countMemory()
        guard self.isOpen, !self.backlog.isEmpty || self.isHeldBack else { return }
        if !self.mayReadOn { self.client.pause() }
        // What holds the client back also lets it continue.
        if !self.isHeldBack, !self.isStuck { self.client.readAgainLater() }
    }

    private func received(_ frame: ControlFrame) {
        let plaintext = self.plaintext
        let payload = frame.payload(in: plaintext.span)
        switch frame.opcode {
        case .ping:
            if self.isOpen { self.answerPing(payload) }
        case .close:
            guard let close = try? CloseFrame(payload: payload.span) else { return }
            self.passOn()
            let nothing: [UInt8] = []
            self.session.received(close, from: .client, nothing.span)
        case .pong:
            if case .latest = self.pings.received(frame, in: plaintext.span) { self.session.pingAnswered(.client) }
        case .text, .binary, .continuation: break
        }
    }

    /// A client that does not read gets a pong for its latest ping only, later (RFC 6455 section 5.5.3): otherwise pings would get around
    /// the limit of the queue.
    private func answerPing(_ payload: [UInt8]) {
        if self.session.isAboveHighWater(self.client) {
            self.owedPong = payload
        } else {
            self.send(self.pong(payload).span, to: self.client)
        }
    }

    private func pong(_ payload: [UInt8]) -> [UInt8] {
        let frame = Frame.pong(payload)
        if self.isTailed { self.session.tailed?.sent(frame.span, to: .client) }
        return frame
    }

    final func prepare(for event: ClosingHandshake.Event) {
        // The server's last bytes may still have to go out as a message.
        if event == .ended(.backend, .inOrder), self.isOpen { self.backendEnds() }
    }

    final func sendGathered() {
        if self.isReading { self.passOn() }
    }

    final func follow(_ closing: ClosingHandshake) {
        let wasOpen = self.isOpen
        self.isOpen = closing.isOpen
        self.listens = closing.reads(from: .client)
        guard wasOpen, !self.isOpen else { return }
        self.session.closing?.forwarded.client = self.reader.tally
        self.closingBegan()
    }

    final func hasSaid() {
        guard !self.isOpen else { return }
        // Messages are over, but the client's Close may be among what waits.
        self.shelf = []
        self.readBacklog()
        self.countMemory()
    }

    final func ping(_ leg: Leg) {
        if leg == .client { self.session.sendPing(Frame.ping(self.pings.next()), to: .client) }
    }

    final func dataPassed() { self.session.deadlines.lastData = self.loop.now }

    final func drained(_ leg: Leg) {
        guard leg == .client else { return self.backendDrained() }
        if self.isOpen, let payload = self.owedPong { self.client.send(self.pong(payload).span) }
        self.owedPong = nil
        self.clientDrained()
        self.catchUp()
    }

    final func timerFired() {
        if self.isOpen { self.tick() }
    }
}
