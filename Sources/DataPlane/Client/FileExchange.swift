internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System

/// Sends a client one file: the shell that acts. `FileMachine` decides; this class tells it what happened and carries out its actions.
///
/// The worker opens and reads what is cached, and other threads the rest (`FileOpener`), so the worker never waits for a disk.
final class FileExchange: TimerHandler {
    // The connection may be gone when a thread answers; then the machine is over.
    private unowned let client: ClientConnection
    private let context: SessionContext
    private let loop: EventLoop
    private let request: FileRequest
    private let route: Route
    private var machine = FileMachine()
    /// The answer, once its head was sent.
    private let counts: RouteRequests
    private var answer: FileAnswer?
    private var keepsClient = false
    /// To read on from; `nil` if there is nothing more to read.
    private var file: OpenFile?
    /// Where the next piece begins.
    private var offset = 0
    /// How many bytes of the body were sent.
    private var sent = 0
    /// Since when a thread looks for the file or reads it; `nil`: none does.
    private var asked: MonotonicInstant?
    private var timer: EventLoop.TimerID?

    init(_ request: FileRequest, on route: Route, for client: ClientConnection) {
        self.request = request
        self.route = route
        self.client = client
        self.context = client.context
        self.counts = client.context.metrics.requests(of: route.settings.name)
        self.loop = client.loop
    }

    /// Begins to look for the file.
    func begin() {
        self.counts.began()
        self.client.owner.passes(self.client)
        if let found = try? FoundFile(cachedFor: self.request, in: self.context.files) {
            self.found(found)
        } else {
            let (request, folders, most) = (self.request, self.context.files.folders, self.nextPiece)
            self.ask({ FoundFile(for: request, in: folders, most: most) }, then: self.found)
        }
        guard self.machine.state != .over else { return }
        let timeouts = self.route.settings.timeouts
        self.setDeadline(at: self.loop.now + min(timeouts.response, timeouts.requestBody))
    }

    /// Tells the machine what happened, and carries out its action.
    private func handle(_ input: FileMachine.Input) {
        switch self.machine.handle(input) {
        case .nothing: break
        case .read: self.read()
        case .end: self.hasEnded()
        case .abort(let reason): self.hasEnded(reason)
        case .refuse(let why): self.refuse(why)
        }
    }

    // MARK: - Threads

    /// Has another thread make a call, for which a piece of memory is counted until it has returned.
    private func ask<Value: Sendable>(_ call: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void) {
        self.asked = self.loop.now
        self.client.memory.madeProgress(at: self.loop.now)
        self.client.assembles(self.client.early.capacity + self.nextPiece)
        do throws(SystemError) {
            try self.context.files.calls.make(call) { value in
                self.asked = nil
                if self.machine.state != .over { self.client.assembles(self.client.early.capacity) }
                then(value)
            }
        } catch {
            self.asked = nil
            self.handle(.notOpened(.shortage("\(error)")))
            self.handle(.notRead("\(error)"))
        }
    }

    /// The most bytes that are read next: fewer while memory is scarce.
    private var nextPiece: Int { self.context.memory.readSize }

    private func found(_ found: FoundFile) {
        guard self.machine.state != .over else { return self.letGo(of: found) }
        self.loop.budget.spend(Work.admission)
        switch found {
        case .answer(let answer): self.send(answer, [])
        case .file(let answer, let file, let piece):
            self.file = file
            self.send(answer, piece)
        case .failed(let reason, let isShortage):
            self.handle(.notOpened(isShortage ? .shortage(reason) : .failed(reason)))
        }
    }

    private func send(_ answer: FileAnswer, _ piece: [UInt8]) {
        guard let connection = self.client.connection else { return }
        self.answer = answer
        self.keepsClient = self.request.keepsClient && !self.context.isDraining
        self.counts.answered(after: self.loop.now - self.client.began)
        let head = answer.bytes(
            keepsClient: self.keepsClient, headers: self.route.settings.headers, cookies: self.client.summary.cookies,
            date: WallClock.httpDate())
        var left = 0
        switch answer.body {
        case .none: self.send(head.span, on: connection)
        case .text(let text):
            self.send(head.span, on: connection)
            self.sent = text.count
        case .file(let range):
            self.offset = range.lowerBound
            if !piece.isEmpty {
                self.send((head + piece).span, on: connection)
                self.hasSent(piece.count)
            } else if !self.sendCached(behind: head, atMost: range.count, on: connection) {
                self.send(head.span, on: connection)
            }
            left = range.count - self.sent
            if left == 0 { self.letGoOfFile() }
        }
        // A connection has two descriptors at most: room is kept for so many.
        if left > 0 { self.client.relay?.closeBackend() }
        self.handle(.opened(left: left, isTaken: connection.queuedBytes == 0))
    }

    private func send(_ bytes: Span<UInt8>, on connection: Connection) {
        self.loop.budget.spend(Work.send + Work.bytes(bytes.count, tls: connection.tls != nil))
        connection.send(bytes)
    }

    /// So many bytes more of the file were sent.
    private func hasSent(_ count: Int) {
        self.offset += count
        self.sent += count
    }

    /// Sends what is cached of the next piece, with `head` before it, out of the memory that sockets are read into.
    ///
    /// - Parameter left: how many bytes are still to be sent.
    /// - Returns: whether there was any. Otherwise nothing is sent.
    private func sendCached(behind head: [UInt8], atMost left: Int, on connection: Connection) -> Bool {
        let buffer = self.context.connections.buffers.plaintext
        let most = min(left, self.nextPiece, buffer.count - head.count)
        guard let file = self.file, most > 0,
            let count = try? file.readCached(at: self.offset, into: buffer, from: head.count, count: most)
        else { return false }
        buffer.replace(at: 0, with: head.span)
        self.client.memory.madeProgress(at: self.loop.now)
        self.send(buffer.span.extracting(0..<(head.count + count)), on: connection)
        self.hasSent(count)
        return true
    }

    private func read() {
        guard let file = self.file, let connection = self.client.connection,
            case .reading(let left) = self.machine.state
        else { return }
        // What is cached comes as fast as the client takes it: others must have their turn.
        guard !self.loop.budget.isShareSpent else { return connection.readAgainLater() }
        let sent = self.sent
        if self.sendCached(behind: [], atMost: left, on: connection) {
            return self.handle(.sent(self.sent - sent, isTaken: connection.queuedBytes == 0))
        }
        let (offset, count) = (self.offset, min(left, self.nextPiece))
        self.ask(
            { Result { () throws(SystemError) in try file.read(at: offset, count: count) } },
            then: { self.hasRead($0, count) })
    }

    private func hasRead(_ result: Result<[UInt8], SystemError>, _ count: Int) {
        guard self.machine.state != .over, let connection = self.client.connection else { return self.letGoOfFile() }
        switch result {
        case .success(let piece) where piece.count == count:
            self.send(piece.span, on: connection)
            self.hasSent(count)
            self.handle(.sent(count, isTaken: connection.queuedBytes == 0))
        case .success: self.handle(.notRead("the file has become shorter"))
        case .failure(let error): self.handle(.notRead("\(error)"))
        }
    }

    private func letGoOfFile() {
        if let file = self.file { self.context.files.letGo(of: file) }
        self.file = nil
    }

    private func letGo(of found: FoundFile) {
        if case .file(_, let file, _) = found { self.file = file }
        self.letGoOfFile()
    }

    // MARK: - Ends

    private func refuse(_ why: FileMachine.Refused) {
        let refusal: Refusal =
            switch why {
            case .failed(let reason): .fileFailed(500, reason, self.request)
            case .shortage(let reason): .fileFailed(503, reason, self.request)
            case .timeout: .fileFailed(504, "it took too long", self.request)
            case .draining: .draining(routeIndex: self.request.routeIndex)
            case .memory: .outOfMemory
            }
        self.letGoOfAll()
        self.counts.ended(status: refusal.status)
        var subject = self.client.subject
        subject.asked = RequestedPlace(self.request)
        self.client.refuse(refusal, of: subject, in: .requestHead)
    }

    /// - Parameter reason: why the answer is not whole; `nil` if it is.
    private func hasEnded(_ reason: String? = nil) {
        let report = RequestReport(
            status: self.answer?.status, bytes: self.sent, duration: self.loop.now - self.client.began,
            brokenOff: reason)
        self.letGoOfAll()
        self.counts.ended(status: report.status)
        self.client.requestEnded(
            report, (self.request.method, self.request.path), of: self.client.subject, keepsClient: self.keepsClient)
    }

    /// Timer, memory and file are not needed any more.
    private func letGoOfAll() {
        self.loop.cancelTimer(&self.timer)
        self.client.assembles(self.client.early.capacity)
        // A thread that reads it closes it afterwards.
        if self.asked == nil { self.letGoOfFile() }
    }

    // MARK: - What is due

    func timerFired() {
        self.timer = nil
        let now = self.loop.now
        let timeouts = self.route.settings.timeouts
        switch self.machine.state {
        case .opening, .reading:
            let end = (self.asked ?? now) + timeouts.response
            if end <= now { return self.handle(.timeOver) }
            self.setDeadline(at: end)
        case .delivering:
            if self.client.connection?.hasTakenNothing(for: timeouts.requestBody, at: now) == true {
                return self.handle(.notTaken)
            }
            self.setDeadline(at: now + timeouts.requestBody)
        case .over: break
        }
    }

    /// A timer that is set is left alone, because most files are sent before it fires.
    private func setDeadline(at instant: MonotonicInstant) {
        if self.timer == nil { self.loop.setTimer(&self.timer, at: instant, self) }
    }
}

extension FileExchange: Exchange {
    var phase: Phase { .requestHead }

    /// Only sessions have rows.
    var row: SessionRow? { nil }

    var queuedBytes: Int { 0 }

    var isPlain: Bool { true }

    var hasAnswered: Bool { self.answer != nil }

    func ready(client: Connection, _ readiness: Readiness) {
        if client.failure != nil || client.takeFailure() != nil { return self.handle(.clientLeft) }
        // A client that has only ended its side still takes the answer.
        if client.queuedBytes == 0 { self.handle(.taken) }
        if self.asked == nil { self.read() }
    }

    func close(_ ending: Ending) { self.handle(.ordered(ending.cause)) }

    func memoryNeeded() { self.handle(.memoryNeeded) }

    func isSelected(by selection: SessionSelection) -> Bool {
        if case .all = selection { true } else { false }
    }
}
