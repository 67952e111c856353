internal import Connections
internal import System
internal import WebSocketProtocol

/// One WebSocket at the admin address, from its 101 on. It only tells: what the client says is read and ignored, but for control frames.
///
/// What waits for a client is bounded, and a client that is gone is noticed: it has to answer pings.
final class AdminSocket: ConnectionOwner, TimerHandler {
    /// How long a client is waited for.
    struct Times {
        /// The time between two pings, and the longest until the pong.
        var heartbeat: Duration
        /// The longest until the client answers a Close and ends its side.
        var closing: Duration
    }

    /// `open → closing → closed`, or at once `closed`
    private enum State {
        /// - isPinged: a ping waits for its pong.
        case open(isPinged: Bool)
        /// Our Close is sent.
        ///
        /// - isAnswered: so is the client's, and its end is awaited.
        case closing(isAnswered: Bool)
        case closed
    }

    /// The most bytes that wait for the client before messages for it are left out.
    private static let mostWaiting = 256 << 10
    /// The longest message that is ignored, in bytes. A longer one closes the socket.
    private static let longestIgnored = 4 << 10

    private static let readSize = 4 << 10

    private let context: ConnectionContext
    private let times: Times
    /// Told once, when the socket is closed.
    private let whenClosed: (AdminSocket) -> Void
    private var state = State.open(isPinged: false)
    /// `nil` after `closed`. A reference cycle until then.
    private var connection: Connection?
    private var feed: (any SocketFeed)?
    private var timer: EventLoop.TimerID?
    private var reader = FrameReader(
        rules: .init(expectsMask: true, maximumMessage: AdminSocket.longestIgnored, maximumFragments: 64))
    /// The beginning of a header or a control frame that is not whole.
    private var unread: [UInt8] = []

    private var loop: EventLoop { self.context.loop }

    /// A socket for a client that is about to get its 101.
    init(_ context: ConnectionContext, _ times: Times, whenClosed: @escaping (AdminSocket) -> Void) {
        self.context = context
        self.times = times
        self.whenClosed = whenClosed
    }

    /// Takes the client's connection over, sends the 101, and shows the client what `feed` has.
    func open(_ connection: Connection, answering bytes: [UInt8], _ feed: any SocketFeed) {
        let connection = connection.handOver(to: self)
        self.connection = connection
        self.feed = feed
        connection.send(bytes.span)
        self.setTimer(self.times.heartbeat)
        // What came with the request is not reported again.
        if connection.mayRead { connection.readAgainLater() }
    }

    // MARK: - Telling

    /// Whether `offer` would send something: ask before making what takes long.
    var takesMore: Bool {
        guard case .open = self.state, let connection = self.connection else { return false }
        return !self.isFull(connection)
    }

    /// Sends a text message, unless too much waits for the client: then it is not sent, and the answer is false.
    func offer(_ text: [UInt8]) -> Bool {
        guard self.takesMore, let connection = self.connection else { return false }
        connection.send(Frame.encoded(.text, payload: text.span, maskingKey: nil).span)
        return true
    }

    /// Begins the closing handshake. What waits for the client is sent first.
    func close(_ code: CloseCode, reason: String) { self.close(CloseFrame(code: code, reason: reason)) }

    /// Closes at once: nothing waits for the client's answer, because the gateway ends.
    func end(_ code: CloseCode, reason: String) {
        self.close(code, reason: reason)
        self.connection?.shutDown()
        // To close with unread bytes would reset the connection, and the client could miss the Close.
        if let connection = self.connection, connection.mayRead {
            _ = connection.receive(atMost: Self.readSize)
        }
        self.end()
    }

    private func isFull(_ connection: Connection) -> Bool { connection.queuedBytes >= Self.mostWaiting }

    private func close(_ frame: CloseFrame) {
        guard case .open = self.state, let connection = self.connection else { return }
        self.state = .closing(isAnswered: false)
        connection.send(Frame.close(frame).span)
        self.setTimer(self.times.closing)
    }

    private func end() {
        if case .closed = self.state { return }
        self.state = .closed
        self.loop.cancelTimer(&self.timer)
        self.connection?.close()
        self.connection = nil
        self.feed?.ended()
        self.feed = nil
        self.whenClosed(self)
    }

    // MARK: - What happens

    func ready(_ connection: Connection, _ readiness: Readiness) {
        if connection.hasFlushed, case .open = self.state {
            // It accepts bytes, so it lives. The ping may be behind others.
            self.state = .open(isPinged: false)
            self.feed?.hasRoom()
        }
        self.read(connection)
    }

    func timerFired() {
        self.timer = nil
        switch self.state {
        case .open(isPinged: false):
            self.state = .open(isPinged: true)
            self.connection?.send(Frame.ping([]).span)
            self.setTimer(self.times.heartbeat)
        case .open(isPinged: true): self.close(.goingAway, reason: "no pong in time")
        case .closing: self.end()
        case .closed: break
        }
    }

    private func setTimer(_ delay: Duration) { self.loop.setTimer(&self.timer, at: self.loop.now + delay, self) }

    // MARK: - Reading

    /// Reads once, so that a client that says much holds up no other.
    private func read(_ connection: Connection) {
        guard connection.mayRead else { return }
        let plaintext = self.context.buffers.plaintext
        switch connection.receive(atMost: Self.readSize) {
        case .bytes(let range): self.received(plaintext.span.extracting(range))
        case .incomplete, .nothing: break
        case .end, .failed: return self.end()
        }
        if connection.isOpen, connection.mayRead { connection.readAgainLater() }
    }

    private var listens: Bool {
        switch self.state {
        case .open, .closing(isAnswered: false): true
        case .closing(isAnswered: true), .closed: false
        }
    }

    private func received(_ bytes: Span<UInt8>) {
        self.unread.append(bytes)
        let bytes = self.unread
        var position = 0
        while self.listens {
            switch self.reader.next(bytes.span, at: &position) {
            case .data: break
            case .control(let frame): self.received(frame, frame.payload(in: bytes.span))
            case .violation(let violation):
                self.close(violation.closeCode, reason: violation.description)
                // Where its next frame begins is not known.
                self.awaitEnd()
            case .end, .incomplete: return self.unread = Array(bytes[position...])
            }
        }
        self.unread = []
    }

    private func received(_ frame: ControlFrame, _ payload: [UInt8]) {
        switch frame.opcode {
        case .ping:
            // A client that accepts nothing gets no pongs: they would get around the bound.
            if case .open = self.state, let connection = self.connection, !self.isFull(connection) {
                connection.send(Frame.pong(payload).span)
            }
        case .pong: if case .open = self.state { self.state = .open(isPinged: false) }
        case .close:
            // The answer has the same code (RFC 6455 section 5.5.1). The reader has checked the payload.
            if let close = try? CloseFrame(payload: payload.span) { self.close(close) }
            self.awaitEnd()
        case .text, .binary, .continuation: break
        }
    }

    /// The client has said its last; it is to end its side, now that we end ours (RFC 6455 section 7.1.1).
    private func awaitEnd() {
        self.state = .closing(isAnswered: true)
        self.connection?.shutDown()
    }
}
