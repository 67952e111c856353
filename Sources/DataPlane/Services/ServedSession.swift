internal import Configuration
internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// A conversation in which we are the WebSocket server ourselves: pings are answered, messages are unmasked, and the closing
/// handshake is ours. What the messages are for is up to a subclass: a built-in service, or a bridge.
class ServedSession: Conversation {
    /// The session gives its conversation up when it ends.
    final let session: Session
    final let client: Connection
    // The worker's. Constants, because a reference that is followed through others is counted with every message.
    final let loop: EventLoop
    final let plaintext: ReadBuffer
    final let gathered: GatheredSends
    /// What the closing handshake says, at hand: it is asked for every message. Nothing has ended the session yet.
    final private(set) var isOpen = true
    /// The client's frames are looked at, be it only for its Close.
    final private(set) var listens = true

    final var reader: FrameReader
    /// What we sent the client: in place of what a backend sends.
    final var sent = MessageTally()
    /// What of that its socket took.
    final var taken = TakenMessages()
    /// What of it the connection has; the rest is put together with what follows.
    final var flushed = MessageTally()
    private var pings = PingSeries(nonce: Randomness.word())
    /// The beginning of a header, or of a control frame, whose rest has not come yet.
    private var held: [UInt8] = []
    /// The latest ping that is not answered yet, because the client does not read what it was sent.
    private var owedPong: [UInt8]?

    /// `nil` where messages are not compressed.
    final let compression: SessionCompression?
    /// The most bytes in a message of the client's, inflated; 0 is no limit.
    final let maximumMessage: Int
    /// What was read and waits, because the session's share of the turn was used up, or whoever gets what the client says has enough of
    /// it. The client is not read meanwhile, so that it is no more than came with one read, and `mostWaiting`.
    final var backlog = Backlog()
    /// The payload so far of a compressed message that is not whole, where it is kept as it came.
    final var shelf: [UInt8] = []
    /// The next inflated piece is the first of its message.
    final var isAtFirstPiece = true
    final var isReading = false
    /// More of what came with the same read is still to be looked at.
    final private(set) var hasMore = false

    /// - Parameters:
    ///   - limitsMessages: whether the route's limits on messages hold; a bridge, which streams, can do without.
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
        // What cannot be compressed grows by it, and may: the limit is on what it inflates to.
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

    /// A piece of a message came, unmasked and inflated, at `part.range` of `buffer`, in front of which there is room for a header.
    func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {}

    /// Whether more of what the client says would be too much for now.
    var isHeldBack: Bool { false }

    /// Whether whoever gets what messages inflate to has enough for now: the rest stays as it came.
    var isFull: Bool { self.isHeldBack }

    /// How much of what stays as it came may be there before the client is not read, in bytes.
    var mostWaiting: Int { 0 }

    /// Whether a compressed message is inflated once all of it is here, because what it inflates to would have to be kept till then.
    var inflatesWholeMessages: Bool { false }

    /// A part of such a message was kept.
    func shelved(_ part: FrameReader.DataPart) {}

    /// What is kept of the client's message in progress, in bytes.
    var assembledMemory: Int { 0 }

    /// What was read was passed on, as far as it goes for now.
    func didRead() {}

    /// What was put together was sent.
    func didFlush() {}

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
    ///
    /// - Parameter size: bytes of its message, where that is too big and they are known.
    final func fail(_ violation: Violation, size: Int? = nil) {
        if self.isReading { self.passOn() }
        let words = violation.words(
            by: .client, size: size, message: self.maximumMessage, fragments: self.reader.rules.maximumFragments)
        self.session.violated(violation, by: .client, words)
    }

    /// What we send a client is whole frames only, so that a Close always has its place.
    final var places: ClosingHandshake.Places {
        // What waits, be it here or in the kernel, is not passed on any more.
        let hasMore = self.client.isPaused || self.client.mayRead
        return ClosingHandshake.Places(
            clientIsInsideOfMessage: !self.reader.isAtMessageBoundary, clientHasMore: hasMore || !self.backlog.isEmpty)
    }

    // MARK: - Conversation

    final var tally: PerLeg<MessageTally> {
        PerLeg(client: self.receivedTally, backend: self.taken.taken(of: self.sent, self.client.writing))
    }

    /// What came from the client and has gone where it is to go.
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

    /// Reads what lies at `range` of the worker's buffer.
    ///
    /// - Parameter part: what begins there, if it is not a frame.
    /// - Returns: where it stopped, because the rest has to wait; `nil`: there is no rest.
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

    /// Whether the session has had its share of this turn, or whoever gets what the client says has enough of it. What only a Close is
    /// looked for in does not wait: it goes nowhere.
    final var mustWait: Bool {
        self.isOpen && (self.loop.budget.isShareSpent || self.isHeldBack)
    }

    /// Sends what was put together, for what is to come after it.
    private func passOn() {
        self.hasMore = false
        self.flush()
        self.didRead()
    }

    /// What came was read as far as it goes for now: the client is not read on while some of it waits.
    final func settle() {
        self.passOn()
        self.countMemory()
        guard self.isOpen, !self.backlog.isEmpty || self.isHeldBack else { return }
        if !self.mayReadOn { self.client.pause() }
        // Whoever holds it back says when it may go on.
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

    /// A client that does not read gets an answer to its latest ping only, and later (RFC 6455 section 5.5.3): pings are no
    /// way around the limit of the queue.
    private func answerPing(_ payload: [UInt8]) {
        if self.session.isAboveHighWater(self.client) {
            self.owedPong = payload
        } else {
            self.send(Frame.pong(payload).span, to: self.client)
        }
    }

    final func prepare(for event: ClosingHandshake.Event) {
        // What a server sent last may be part of a message.
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
        // Messages are over; the client's own Close may wait among them.
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
        if self.isOpen, let payload = self.owedPong { self.client.send(Frame.pong(payload).span) }
        self.owedPong = nil
        self.clientDrained()
        self.catchUp()
    }

    final func timerFired() {
        if self.isOpen { self.tick() }
    }
}
