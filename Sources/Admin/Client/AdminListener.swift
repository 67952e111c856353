internal import Connections
internal import HTTP1
internal import Sessions
internal import System
internal import WebSocketProtocol

/// A WebSocket to the admin address, from its 101 on: takes its text messages until one side ends it.
final class AdminListener: ConnectionOwner, TimerHandler {
    private enum State {
        case open
        /// Our Close is sent.
        case closing
        case over(AdminClient.End)
    }

    /// How long the gateway's answer to our Close is waited for.
    private static let patience = Duration.seconds(1)
    /// The longest message: a frame of a tail in JSON is far shorter.
    private static let longest = 16 << 20

    private let context: ConnectionContext
    /// Returns whether to go on.
    private let receive: ([UInt8]) -> Bool
    private var state = State.open
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var reader = FrameReader(rules: .init(expectsMask: false, maximumMessage: AdminListener.longest))
    private var assembler = MessageAssembler()
    /// The beginning of a header or a control frame that is not whole.
    private var unread: [UInt8] = []

    init(_ context: ConnectionContext, receive: @escaping ([UInt8]) -> Bool) {
        self.context = context
        self.receive = receive
    }

    /// Takes the connection over, and messages from it until the end.
    ///
    /// - Parameter early: what came behind the 101.
    func run(_ connection: Connection, early: [UInt8]) -> AdminClient.End {
        let connection = connection.handOver(to: self)
        self.connection = connection
        defer {
            connection.close()
            self.connection = nil
            self.context.loop.cancelTimer(&self.timer)
        }
        self.received(early.span)
        if connection.mayRead { connection.readAgainLater() }
        while true {
            if case .over(let end) = self.state { return end }
            self.context.loop.turn()
        }
    }

    /// Ends it: with a Close that is answered soon, or, asked again, at once.
    func stop() {
        guard case .open = self.state else { return self.state = .over(.stopped) }
        self.state = .closing
        self.send(Frame.close(.normal, maskingKey: .random))
        self.context.loop.setTimer(&self.timer, at: self.context.loop.now + Self.patience, self)
    }

    func timerFired() {
        self.timer = nil
        self.state = .over(.stopped)
    }

    private func send(_ frame: [UInt8]) {
        self.connection?.send(frame.span)
        self.connection?.sendStaged()
    }

    // MARK: - Reading

    func ready(_ connection: Connection, _ readiness: Readiness) {
        guard connection.mayRead else { return }
        let plaintext = self.context.buffers.plaintext
        switch connection.receive(atMost: AdminExchange.readSize) {
        case .bytes(let range): self.received(plaintext.span.extracting(range))
        case .incomplete, .nothing: break
        case .end: return self.lost("the connection ended")
        case .failed(let failure): return self.lost(failure.description)
        }
        if case .over = self.state { return }
        // Once a turn: a busy tail must not keep signals from being seen.
        if connection.mayRead { connection.readAgainLater() }
    }

    private func lost(_ reason: String) {
        if case .closing = self.state { self.state = .over(.stopped) } else { self.state = .over(.lost(reason)) }
    }

    private func received(_ bytes: Span<UInt8>) {
        self.unread.append(bytes)
        let bytes = self.unread
        var position = 0
        while true {
            if case .over = self.state { return }
            switch self.reader.next(bytes.span, at: &position) {
            case .data(let part): self.received(part, bytes.span)
            case .control(let frame): self.received(frame, frame.payload(in: bytes.span))
            case .violation(let violation): self.lost(violation.description)
            case .end, .incomplete: return self.unread = Array(bytes[position...])
            }
        }
    }

    private func received(_ part: FrameReader.DataPart, _ bytes: Span<UInt8>) {
        switch self.assembler.add(part, in: bytes) {
        case .incomplete: break
        case .violation(let violation): self.lost(violation.description)
        case .message(let message):
            // Once it is to stop, nothing more is wanted.
            guard case .open = self.state else { return }
            if !self.receive(message.payload) { self.stop() }
        }
    }

    private func received(_ frame: ControlFrame, _ payload: [UInt8]) {
        switch frame.opcode {
        case .ping: self.send(Frame.pong(payload, maskingKey: .random))
        case .close:
            guard case .open = self.state else { return self.state = .over(.stopped) }
            let close = try? CloseFrame(payload: payload.span)
            self.send(Frame.close(close?.code, maskingKey: .random))
            self.state = .over(.closed(code: close?.code?.rawValue, reason: close?.reason ?? ""))
        case .pong, .text, .binary, .continuation: break
        }
    }
}
