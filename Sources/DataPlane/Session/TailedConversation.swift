internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// Stands in front of the conversation of a session that is tailed, and shows its frames. All others pay nothing for tails. What comes from a
/// leg is read here, from the bytes of the wire; what a conversation makes itself, it shows (`Conversation.setTailed`).
final class TailedConversation: Conversation {
    /// The conversation alone.
    var inner: any Conversation
    // A reference cycle that the session breaks when it ends.
    private let session: Session
    private let plaintext: ReadBuffer
    private var tails: [SessionTail] = []
    /// Something that came is being handled: what is sent meanwhile is reported together.
    private var isReceiving = false

    init(_ inner: any Conversation, _ session: Session) {
        self.inner = inner
        self.session = session
        self.plaintext = session.context.connections.buffers.plaintext
        inner.setTailed(true)
    }

    // MARK: - Tails

    /// Whether no tail is left.
    var isUnwatched: Bool { self.tails.isEmpty }

    func begin(_ tail: Tail) {
        self.tails.append(
            SessionTail(tail, of: self.session.id, inflates: self.session.machine.closing.kind != .relay))
    }

    func end(_ tail: Tail) {
        guard let index = self.tails.firstIndex(where: { $0.tail === tail }) else { return }
        self.tails.remove(at: index).end(isSession: false)
        if self.tails.isEmpty { self.inner.setTailed(false) }
    }

    /// The session is over.
    func ended() {
        for tail in self.tails { tail.end(isSession: true) }
        self.tails = []
    }

    // MARK: - Frames

    func received(_ range: Range<Int>, from leg: Leg) {
        // First: the payload may be unmasked in place, and what follows from it may be told by others.
        self.show(range, from: leg)
        self.report()
        let wasReceiving = self.isReceiving
        self.isReceiving = true
        self.inner.received(range, from: leg)
        self.isReceiving = wasReceiving
        self.report()
    }

    private func show(_ range: Range<Int>, from leg: Leg) {
        let closing = self.session.machine.closing
        let showsData = closing.kind == .relay ? closing.relays(from: leg) : closing.isOpen
        self.session.loop.budget.spend(Work.bytes(range.count, tls: false))
        let plaintext = self.plaintext
        for tail in self.tails {
            if !tail.follows(leg), let place = self.inner.place(of: leg) { tail.follow(leg, at: place) }
            tail.received(plaintext.span.extracting(range), from: leg, showsData: showsData)
        }
    }

    private func report() {
        guard !self.isReceiving else { return }
        for tail in self.tails { tail.report() }
    }

    /// A piece of a message from the client was inflated.
    func inflated(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        for tail in self.tails { tail.inflated(part, in: buffer.span) }
        self.report()
    }

    /// The gateway has sent whole frames of its own to `leg`.
    func sent(_ frames: Span<UInt8>, to leg: Leg) {
        for tail in self.tails { tail.sent(frames, to: leg) }
        self.report()
    }

    /// The gateway has sent the client a message or a piece of one.
    func sent(_ opcode: Opcode, _ payload: Span<UInt8>, isFirst: Bool, isFinal: Bool) {
        for tail in self.tails { tail.sent(opcode, payload, isFirst: isFirst, isFinal: isFinal) }
        self.report()
    }

    // MARK: - The inner conversation

    var tally: PerLeg<MessageTally> { self.inner.tally }
    var places: ClosingHandshake.Places { self.inner.places }
    var waitsToBegin: Bool { self.inner.waitsToBegin }
    var takesMore: Bool { self.inner.takesMore }

    func begin() { self.inner.begin() }
    func prepare(for event: ClosingHandshake.Event) { self.inner.prepare(for: event) }
    func sendGathered() { self.inner.sendGathered() }
    func follow(_ closing: ClosingHandshake) { self.inner.follow(closing) }
    func hasSaid() { self.inner.hasSaid() }
    func drained(_ leg: Leg) { self.inner.drained(leg) }
    func continued() { self.inner.continued() }
    func ping(_ leg: Leg) { self.inner.ping(leg) }
    func timerFired() { self.inner.timerFired() }
    func takePlace() -> FramePlace? { self.inner.takePlace() }
    func place(of leg: Leg) -> FramePlace? { self.inner.place(of: leg) }
    func goOn() -> Bool { self.inner.goOn() }
}
