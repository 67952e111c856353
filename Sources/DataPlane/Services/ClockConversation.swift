internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// `builtin: clock`: sends the time as a text message, at the opening and after each `every`.
final class ClockConversation: ServedSession {
    private let every: Duration
    private var text = TextCheck()
    private var next: MonotonicInstant

    init(_ session: Session, _ client: Connection, every: Duration, compression: SessionCompression?) {
        self.every = every
        self.next = session.loop.now
        super.init(session, client, compression: compression)
    }

    override func begin() { self.tick() }

    /// A clock ignores messages, but the rules still hold for them.
    override func received(_ part: FrameReader.DataPart, in buffer: ReadBuffer) {
        if !self.text.accepts(part, in: buffer.span) { self.fail(.invalidUTF8) }
    }

    /// The time is RFC 3339, UTC, in milliseconds. A client that does not read misses ticks instead of getting them all late.
    override func tick() {
        if !self.session.isAboveHighWater(self.client) {
            self.sendMessage(Message(opcode: .text, payload: Array(WallClock.rfc3339().utf8)))
        }
        // Counted from the last deadline, so that the clock does not drift. After a long halt it starts anew.
        let now = self.loop.now
        self.next = max(self.next + self.every, now)
        self.session.setTick(at: self.next)
    }
}
