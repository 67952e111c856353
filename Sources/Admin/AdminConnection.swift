internal import System

/// One connection to the admin address: reads a request, has it answered, sends the answer, and ends.
final class AdminConnection: ReadinessHandler, TimerHandler {
    /// `reading → waiting → answering → lingering → closed`
    private enum State {
        case reading
        /// The gateway was asked.
        case waiting
        case answering
        /// The answer is sent. What still comes is read and thrown away, this many bytes so far: closing with unread input makes a
        /// reset, which can eat the answer.
        case lingering(discarded: Int)
        case closed
    }

    private static let mostDiscarded = 1 << 20
    /// Whoever takes so many bytes of a long answer gets as much time for the next.
    private static let step = 64 << 10

    private let descriptor: Int32
    /// It closes its connections before it goes.
    private unowned let server: AdminServer
    private var registration: EventLoop.Registration?
    private var timer: EventLoop.TimerID?
    private var state = State.reading
    private var reader = AdminRequestReader()
    /// The request was a HEAD.
    private var isHead = false
    private var output: [UInt8] = []
    private var sent = 0
    private var sentAtDeadline = 0
    /// When it was last seen to do what it is here for: it came, took some of its answer, or had all of it.
    private var lastStep: MonotonicInstant

    /// Since when it has kept its place without doing anything for it: its request is not whole, or it takes nothing of its answer, or does
    /// not end after that. `nil`: the gateway's answer is awaited, or it has no place any more.
    var idleSince: MonotonicInstant? {
        switch self.state {
        case .reading, .answering, .lingering: self.lastStep
        case .waiting, .closed: nil
        }
    }

    private var loop: EventLoop { self.server.control.loop }

    /// Takes over `descriptor`, unless it throws.
    init(_ descriptor: Int32, server: AdminServer) throws(SystemError) {
        self.descriptor = descriptor
        self.server = server
        self.lastStep = server.control.loop.now
        self.registration = try server.control.loop.add(descriptor, self)
        self.setDeadline()
    }

    func ready(_ readiness: Readiness) {
        switch self.state {
        case .reading: self.read()
        // The client may have ended its side, and wants the answer all the same.
        case .waiting: if readiness.isFailed { self.close() }
        case .answering: self.send()
        case .lingering: self.discard()
        case .closed: break
        }
    }

    func timerFired() {
        self.timer = nil
        switch self.state {
        case .reading: self.answer(AdminResponse(408, "The request did not arrive in time."))
        case .waiting: self.answer(AdminResponse(504, "The gateway did not answer in time."))
        case .answering, .lingering: self.close()
        case .closed: break
        }
    }

    private func setDeadline() {
        self.sentAtDeadline = self.sent
        self.loop.setTimer(&self.timer, at: self.loop.now + self.server.patience, self)
    }

    // MARK: - Reading

    private func read() {
        let buffer = self.server.buffer
        while case .reading = self.state {
            var span = buffer.mutableSpan
            switch Kernel.receive(self.descriptor, into: &span) {
            case .bytes(let count, _): self.received(self.reader.received(buffer.span.extracting(0..<count)))
            case .wouldBlock: return
            case .end: self.answer(self.reader.receivedEnd())
            case .failed: self.close()
            }
        }
    }

    private func received(_ progress: AdminRequestReader.Progress) {
        switch progress {
        case .incomplete: break
        case .refused(let response): self.answer(response)
        case .request(let request):
            self.isHead = request.method == "HEAD"
            self.reader = AdminRequestReader()
            self.state = .waiting
            switch self.server.router.decide(request) {
            case .answer(let response): self.answer(response)
            case .ask(let question):
                self.setDeadline()
                // An answer that comes too late finds nobody.
                self.server.control.ask(question) { [weak self] in self?.answer($0) }
            }
        }
    }

    // MARK: - Answering

    private func answer(_ response: AdminResponse) {
        switch self.state {
        case .reading, .waiting: break
        case .answering, .lingering, .closed: return
        }
        self.state = .answering
        self.lastStep = self.loop.now
        self.output = response.bytes(forHead: self.isHead, date: WallClock.httpDate())
        self.setDeadline()
        self.send()
    }

    private func send() {
        let output = self.output
        while self.sent < output.count {
            switch Kernel.send(self.descriptor, output.span.extracting(self.sent..<output.count)) {
            case .sent(let count):
                self.sent += count
                self.lastStep = self.loop.now
                if self.sent - self.sentAtDeadline >= Self.step { self.setDeadline() }
            case .wouldBlock: return
            case .failed: return self.close()
            }
        }
        self.output = []
        Kernel.endWriting(self.descriptor)
        self.state = .lingering(discarded: 0)
        self.setDeadline()
        self.discard()
    }

    private func discard() {
        let buffer = self.server.buffer
        while case .lingering(let discarded) = self.state {
            var span = buffer.mutableSpan
            switch Kernel.receive(self.descriptor, into: &span) {
            case .bytes(let count, _):
                guard discarded + count <= Self.mostDiscarded else { return self.close() }
                self.state = .lingering(discarded: discarded + count)
            case .wouldBlock: return
            case .end, .failed: self.close()
            }
        }
    }

    /// Another has its place: it is told, if it did not say what it wants, and cut.
    func makeRoom() {
        if case .reading = self.state {
            let response = AdminResponse(408, "Others wait, and the request is not whole.")
            _ = Kernel.send(self.descriptor, response.bytes(date: WallClock.httpDate()).span)
        }
        self.close()
    }

    func close() {
        if case .closed = self.state { return }
        self.state = .closed
        self.loop.cancelTimer(&self.timer)
        if let registration = self.registration { self.loop.remove(registration, self.descriptor) }
        Kernel.close(self.descriptor)
        self.output = []
        self.server.ended(self)
    }
}
