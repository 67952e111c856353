internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Stands in front of a session's conversation where the route limits how fast the client may send: a message that comes too early waits here,
/// and the client is not read meanwhile, or the session ends. Relays, bridges and built-in services know nothing of it. `MessageRates`
/// decides.
final class RatedConversation: Conversation {
    private let inner: any Conversation
    // A reference cycle that the session breaks when it ends.
    private let session: Session
    private let client: Connection
    private let buffers: ConnectionBuffers
    private var rates: MessageRates
    /// What came and waits. It begins with a frame.
    private var waiting = WaitingBytes()
    /// The beginning of an incomplete header, while nothing waits.
    private var held: [UInt8]
    /// The inner conversation has bytes in the worker's buffer.
    private var isPassing = false

    /// - Parameter place: where the client is in its frames.
    init(
        _ inner: any Conversation, _ session: Session, _ client: Connection, _ limits: Limits, at place: FramePlace
    ) {
        self.inner = inner
        self.session = session
        self.client = client
        self.buffers = session.context.connections.buffers
        self.rates = MessageRates(limits, remaining: place.remaining)
        self.held = place.held
    }

    /// The conversation alone, if nothing of the client's messages is here.
    var unwrapped: (any Conversation)? {
        self.waiting.isEmpty && self.held.isEmpty && !self.isPassing ? self.inner : nil
    }

    /// Other limits hold from now on.
    func follow(_ limits: Limits) { self.rates.follow(limits, at: .now()) }

    // MARK: - What comes

    func received(_ range: Range<Int>, from leg: Leg) {
        guard leg == .client else { return self.inner.received(range, from: leg) }
        guard self.waiting.isEmpty, !self.isPassing else {
            self.waiting.append(self.buffers.copy(range))
            if self.isPassing { return self.client.readAgainLater() }
            return self.session.isOpen ? self.keep() : self.passRest()
        }
        let bytes = self.held.isEmpty ? range : self.buffers.prepend(self.held, to: range)
        self.held = []
        guard self.session.isOpen else { return self.pass(bytes) }
        let plaintext = self.buffers.plaintext
        // Not the time of the turn: that may be from before the message was sent, and would give tokens too early.
        let walk = self.rates.walk(
            plaintext.span.extracting(0..<bytes.upperBound), from: bytes.lowerBound, at: .now())
        // Copied first: the inner conversation may put other bytes there.
        let rest = self.buffers.copy(walk.end..<bytes.upperBound)
        switch walk.stop {
        case .end: break
        case .incomplete: self.held = rest
        case .over(let limit, let until):
            self.session.context.metrics.reached(
                .init(limit, of: .session), route: self.session.route?.settings.name)
            self.waiting.append(rest)
            self.wait(until: until)
        }
        self.pass(bytes.lowerBound..<walk.end)
        if case .over = walk.stop { self.endIfOver() }
    }

    /// Passes bytes of the worker's buffer on.
    private func pass(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        self.isPassing = true
        self.inner.received(range, from: .client)
        self.isPassing = false
    }

    /// The first frame that waits may go on then.
    private func wait(until instant: MonotonicInstant) {
        guard self.rates.overRate == .delay else { return }
        self.keep()
        // A session is not idle while its messages wait.
        self.session.deadlines.lastData = max(self.session.deadlines.lastData, instant)
        self.session.setRelease(at: instant)
    }

    /// The client is not read while something waits.
    private func keep() {
        self.client.pause()
        self.session.keepsWaiting(self.waiting.memory)
    }

    private func endIfOver() {
        guard self.rates.overRate == .close, self.session.isOpen else { return }
        self.session.close(.byGateway(.rateLimit))
    }

    // MARK: - What waits

    func goOn() -> Bool {
        if self.isPassing { self.client.readAgainLater() }
        guard !self.isPassing else { return false }
        while self.session.isOpen, self.inner.takesMore, !self.waiting.isEmpty {
            let portion = self.waiting.next(atMost: ConnectionBuffers.readSize)
            let bytes = self.waiting.bytes
            let walk = self.rates.walk(
                bytes.span.extracting(0..<portion.upperBound), from: portion.lowerBound, at: .now())
            let place = self.buffers.place(bytes.span.extracting(portion.lowerBound..<walk.end))
            self.waiting.advance(to: walk.end)
            if walk.stop == .incomplete, portion.upperBound == bytes.count { self.held = self.waiting.takeAll() }
            if case .over(_, let until) = walk.stop { self.wait(until: until) }
            self.pass(place)
            if case .over = walk.stop {
                self.endIfOver()
                break
            }
        }
        self.session.keepsWaiting(self.waiting.memory)
        return self.waiting.isEmpty && self.inner.takesMore
    }

    /// The session closes: what waits is not delayed any more, because only a Close is looked for in it.
    private func passRest() {
        while !self.isPassing, !self.waiting.isEmpty, self.session.conversation != nil {
            let portion = self.waiting.next(atMost: ConnectionBuffers.readSize)
            let bytes = self.waiting.bytes
            let place = self.buffers.place(bytes.span.extracting(portion))
            self.waiting.advance(to: portion.upperBound)
            self.pass(place)
        }
        self.session.keepsWaiting(self.waiting.memory)
    }

    func follow(_ closing: ClosingHandshake) {
        self.inner.follow(closing)
        // Later: what is in the worker's buffer now is still needed.
        if !closing.isOpen, !self.waiting.isEmpty, self.client.isOpen { self.client.readAgainLater() }
    }

    func continued() {
        if !self.session.isOpen { self.passRest() }
        self.inner.continued()
        if self.session.isOpen { self.session.resume(.client) }
    }

    // MARK: - The inner conversation

    var takesMore: Bool { self.inner.takesMore }
    var tally: PerLeg<MessageTally> { self.inner.tally }
    var waitsToBegin: Bool { self.inner.waitsToBegin }

    var places: ClosingHandshake.Places {
        var places = self.inner.places
        if !self.waiting.isEmpty { places.clientHasMore = true }
        return places
    }

    func begin() { self.inner.begin() }
    func prepare(for event: ClosingHandshake.Event) { self.inner.prepare(for: event) }
    func sendGathered() { self.inner.sendGathered() }
    func hasSaid() { self.inner.hasSaid() }
    func drained(_ leg: Leg) { self.inner.drained(leg) }
    func ping(_ leg: Leg) { self.inner.ping(leg) }
    func timerFired() { self.inner.timerFired() }
    func setTailed(_ isTailed: Bool) { self.inner.setTailed(isTailed) }
    func takePlace() -> FramePlace? { nil }

    func place(of leg: Leg) -> FramePlace? {
        guard let place = self.inner.place(of: leg), leg == .client else { return self.inner.place(of: leg) }
        guard self.waiting.isEmpty, !self.isPassing else { return nil }
        return FramePlace(remaining: place.remaining, held: place.held + self.held, message: place.message)
    }
}
