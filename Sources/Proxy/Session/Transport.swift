internal import Configuration
internal import EventLoop
internal import TLS

/// One leg's connection: a socket, libssl where there is TLS, and the bytes the socket did not take yet.
///
/// It knows nothing of frames. Reading goes into the worker's buffers; writing goes to the socket at once, or with the small sends of
/// others at the end of the turn, and what the socket does not take is queued. Readiness is edge-triggered and remembered in `mayRead`.
final class Transport: ReadinessHandler, StagedSender {
    enum Received {
        /// Plain bytes, at this place in the worker's plaintext buffer.
        case bytes(Range<Int>)
        case nothing
        /// The peer's end: in order, or (under TLS) without the close_notify that says so.
        case end(inOrder: Bool)
        case failed(String)
    }

    /// How far our side of the connection has ended.
    private enum WriteSide {
        case open
        /// Our side ends when the queue is empty.
        case wanted
        case done
    }

    let leg: Leg
    let tls: TLSConnection?
    /// Whether the socket may have bytes, or an end, that was not read yet.
    private(set) var mayRead = true
    /// Nothing is read while this is set: the other leg can't take it.
    private(set) var isPaused = false
    private(set) var queue = OutputQueue()
    /// Since when the socket has taken none of what is queued.
    private var queuedSince = MonotonicInstant.never
    var heartbeat: Heartbeat
    /// Whether this turn's event let something go that had waited in the queue.
    private(set) var hasFlushed = false
    private(set) var isOpen = true

    private let descriptor: Int32
    private let worker: Worker
    private let plaintext: ReadBuffer
    private let batch: SendBatch
    /// Some bytes wait for the end of the turn. Then the queue is empty.
    private var isStaged = false
    // Owners of each other: a session gives its transports up when it ends. Strong and constant, because a reference that is neither
    // is counted with every message.
    private let session: Session
    private var registration: EventLoop.Registration?
    private var writeSide = WriteSide.open
    /// libssl has plaintext that did not fit the buffer.
    private var hasDecrypted = false
    /// What went wrong while writing: reading will report it, after what the peer had sent before.
    private var writeFailure: String?
    /// What the peer sent before it went is of no use any more: nobody takes it.
    private var ignoresInput = false
    /// The kernel said that the peer ended or the socket failed; then a short read does not mean "empty".
    private(set) var hasEnded = false
    /// The kernel said that the connection was reset. What came before can still be read, by whom reads.
    private var wasReset = false
    /// The kernel gave the connection up: the peer acknowledged nothing, or took nothing, for too long.
    private(set) var hasTimedOut = false
    /// The loop will call again in the next turn anyway.
    private var isScheduled = false
    /// When libssl last worked for this leg; it may hold buffers since then.
    private(set) var lastUse = MonotonicInstant(nanoseconds: 0)
    /// Where it stands among the worker's warm legs; negative: it is none.
    var warmPlace: Int32 = -1

    init(
        _ descriptor: Int32, _ leg: Leg, tls: TLSConnection?, session: Session, worker: Worker
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.leg = leg
        self.tls = tls
        self.session = session
        self.worker = worker
        self.plaintext = worker.buffers.plaintext
        self.batch = worker.loop.sends
        self.heartbeat = Heartbeat(at: worker.loop.now, spread: 0)
        self.registration = try worker.loop.add(descriptor, self)
    }

    // MARK: - Events

    func ready(_ readiness: Readiness) {
        // Only the call that was asked for comes without news.
        if readiness.isNone { self.isScheduled = false }
        if readiness.isReadable { self.mayRead = true }
        if readiness.isEnded {
            self.mayRead = true
            self.hasEnded = true
        }
        if readiness.isFailed {
            self.wasReset = true
            if self.isPaused { self.pause() }
        }
        self.hasFlushed = readiness.isWritable && !self.queue.isEmpty
        if self.hasFlushed { self.flush() }
        self.session.ready(self, readiness)
    }

    /// Has the session called again in the next turn: there is more to read than is fair to read now.
    func readAgainLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.worker.loop.again(registration)
    }

    /// Has the session called again when those with less to do had their turn: a step of its TLS handshake is next.
    func handshakeLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.worker.loop.againForLongStep(registration)
    }

    /// Has `receive` say once more that the peer has ended its side, when it is called again.
    func leaveEndUnread() {
        self.mayRead = true
        // libssl remembers a close_notify; the end of the connection may not follow before ours.
        if self.tls != nil { self.hasDecrypted = true }
    }

    /// Stops reading until `resume`. A peer that was reset is not waited for: nobody is left to hold back.
    func pause() {
        self.isPaused = true
        guard self.wasReset else { return }
        self.ignoresInput = true
        self.fail(Kernel.connectionResult(self.descriptor).map { self.reason($0) } ?? "the connection was reset")
    }

    func resume() {
        guard self.isPaused else { return }
        self.isPaused = false
        self.heartbeat.resumed(at: self.worker.loop.now)
    }

    // MARK: - Heartbeat

    /// The session is open: from now on the peer has to live.
    ///
    /// - Parameters:
    ///   - settings: `nil`: nobody looks.
    ///   - spread: random.
    func beginHeartbeat(_ settings: HeartbeatSettings?, spread: UInt8) {
        self.heartbeat = Heartbeat(at: self.worker.loop.now, spread: spread)
        guard let settings else { return }
        // The kernel sees what we do not: whether the peer acknowledges what is in its buffer.
        Kernel.setUserTimeout(self.descriptor, settings.interval + settings.timeout)
    }

    /// What there is to do for the peer.
    ///
    /// - Parameter takesPings: whether it is a WebSocket.
    func checkHeartbeat(_ settings: HeartbeatSettings, takesPings: Bool) -> Heartbeat.Due {
        self.heartbeat.check(
            at: self.worker.loop.now, settings,
            .init(
                takesPings: takesPings, isPaused: self.isPaused,
                queuedSince: self.queue.isEmpty ? nil : self.queuedSince))
    }

    /// Sends a ping of ours, a whole frame.
    func sendPing(_ frame: [UInt8]) {
        self.send(frame.span)
        let spread = UInt8(truncatingIfNeeded: Randomness.word())
        self.heartbeat.pinged(at: self.worker.loop.now, isFlushed: self.hasSentAll(), spread: spread)
    }

    /// Has `receive` look at the socket, even if the loop was not told yet that there is something.
    func lookAgain() { self.mayRead = true }

    /// Bytes came.
    private func heard() {
        if self.heartbeat.heard(at: self.worker.loop.now) { self.session.isNoLongerLate(self.leg) }
    }

    // MARK: - Connecting

    /// What has become of the connection attempt; `nil` is success.
    func connectionResult() -> SystemError? { Kernel.connectionResult(self.descriptor) }

    func sendAtOnce() { Kernel.sendAtOnce(self.descriptor) }

    // MARK: - Memory of idle legs

    /// libssl is about to work: its buffers (some 34 KiB) will be given back when the leg has been quiet for a while.
    private func warmUp() {
        self.lastUse = self.worker.loop.now
        if self.warmPlace < 0 { self.worker.warm.add(self) }
    }

    // MARK: - TLS handshake

    /// One step of the TLS handshake: reads what is there, and sends what libssl has to say.
    func handshakeStep() -> TLSConnection.HandshakeResult {
        guard let tls = self.tls else { return .done }
        let ciphertext = self.worker.buffers.ciphertext
        while true {
            var received = ciphertext.mutableSpan
            switch Kernel.receive(self.descriptor, into: &received) {
            case .bytes(let count, let filled):
                if !filled, !self.hasEnded { self.mayRead = false }
                let result = tls.handshake(ciphertext.span.extracting(0..<count))
                self.sendCiphertext()
                if case .wantsRead = result, self.mayRead { continue }
                if case .done = result {
                    // Application data may have come with the end of the handshake.
                    self.hasDecrypted = true
                    self.mayRead = true
                }
                return result
            case .wouldBlock:
                self.mayRead = false
                return .wantsRead
            case .end:
                return .failed(TLSError(.truncation, "the peer ended the connection during the TLS handshake"))
            case .failed(let error):
                return .failed(TLSError(.truncation, error.reason))
            }
        }
    }

    /// The first step of a client: nothing was received yet.
    func beginHandshake() -> TLSConnection.HandshakeResult {
        guard let tls = self.tls else { return .done }
        let nothing: [UInt8] = []
        let result = tls.handshake(nothing.span)
        self.sendCiphertext()
        return result
    }

    // MARK: - Reading

    /// Reads once. `mayRead` says whether calling again can give more.
    func receive() -> Received {
        guard let failure = self.writeFailure else { return self.receiveNext() }
        if !self.ignoresInput {
            let received = self.receiveNext()
            switch received {
            case .bytes, .failed: return received
            case .nothing: if self.mayRead { return received }
            // The kernel tells of a reset once, and it told whoever wrote: this is no orderly end.
            case .end: break
            }
        }
        self.mayRead = false
        return .failed(failure)
    }

    private func receiveNext() -> Received {
        self.tls.map { self.receive(through: $0) } ?? self.receivePlain()
    }

    private func receivePlain() -> Received {
        let headroom = WorkerBuffers.headroom
        let plaintext = self.plaintext
        var buffer = plaintext.mutableSpan
        var room = buffer._mutatingExtracting(headroom..<(headroom + WorkerBuffers.readSize))
        switch Kernel.receive(self.descriptor, into: &room) {
        case .bytes(let count, let filled):
            if !filled, !self.hasEnded { self.mayRead = false }
            self.heard()
            return .bytes(headroom..<(headroom + count))
        case .wouldBlock:
            self.mayRead = false
            return .nothing
        case .end:
            self.mayRead = false
            return .end(inOrder: true)
        case .failed(let error):
            self.mayRead = false
            return .failed(self.reason(error))
        }
    }

    private func receive(through tls: TLSConnection) -> Received {
        let ciphertext = self.worker.buffers.ciphertext
        var count = 0
        if !self.hasDecrypted {
            var room = ciphertext.mutableSpan
            switch Kernel.receive(self.descriptor, into: &room) {
            case .bytes(let received, let filled):
                if !filled, !self.hasEnded { self.mayRead = false }
                count = received
                self.heard()
            case .wouldBlock:
                self.mayRead = false
                return .nothing
            case .end:
                self.mayRead = false
                return .end(inOrder: false)
            case .failed(let error):
                self.mayRead = false
                return .failed(self.reason(error))
            }
        }
        self.warmUp()
        let headroom = WorkerBuffers.headroom
        let plaintext = self.plaintext
        var buffer = plaintext.mutableSpan
        var room = buffer._mutatingExtracting(headroom..<buffer.count)
        let result = tls.decrypt(ciphertext.span.extracting(0..<count), into: &room)
        self.hasDecrypted = result.hasMore
        if result.hasMore { self.mayRead = true }
        self.sendCiphertext()
        if result.count > 0 {
            // An end behind these bytes is reported by the next call.
            switch result.state {
            case .open: break
            case .closed, .failed:
                self.hasDecrypted = true
                self.mayRead = true
            }
            return .bytes(headroom..<(headroom + result.count))
        }
        switch result.state {
        case .open: return .nothing
        case .closed:
            self.mayRead = false
            return .end(inOrder: true)
        case .failed(let error):
            self.mayRead = false
            return .failed(error.description)
        }
    }

    // MARK: - Writing

    /// Sends `bytes`: to the socket as far as it takes them now, the rest when it can.
    func send(_ bytes: Span<UInt8>) {
        guard self.isOpen, self.writeSide == .open, self.writeFailure == nil else { return }
        if let tls = self.tls {
            self.warmUp()
            if let error = tls.encrypt(bytes) { self.fail(error.description) }
            self.sendCiphertext()
        } else {
            self.sendOrQueue(bytes)
        }
    }

    /// Sends a frame that many sessions get: what the socket does not take shares the array.
    func send(sharing bytes: [UInt8]) {
        guard self.tls == nil else { return self.send(bytes.span) }
        guard self.isOpen, self.writeSide == .open, self.writeFailure == nil else { return }
        let sent = self.stageOrSend(bytes.span)
        guard sent < bytes.count else { return }
        self.queueBegins()
        self.queue.append(sharing: bytes, from: sent)
    }

    private func sendCiphertext() {
        self.worker.tlsIO.drainOutput { self.sendOrQueue($0) }
    }

    private func sendOrQueue(_ bytes: Span<UInt8>) {
        self.append(bytes, from: self.stageOrSend(bytes))
    }

    private func append(_ bytes: Span<UInt8>, from start: Int) {
        guard start < bytes.count else { return }
        self.queueBegins()
        self.queue.append(bytes.extracting(start..<bytes.count))
    }

    private func queueBegins() {
        if self.queue.isEmpty { self.queuedSince = self.worker.loop.now }
    }

    /// Returns how many bytes the socket took or will be given at the end of the turn; what is left is to be queued.
    private func stageOrSend(_ bytes: Span<UInt8>) -> Int {
        if self.isStaged {
            if self.batch.extend(bytes, self) { return bytes.count }
            self.batch.flush()
        }
        guard self.queue.isEmpty else { return 0 }
        guard !bytes.isEmpty, self.writeFailure == nil else { return bytes.count }
        self.isStaged = self.batch.stage(bytes, for: self.descriptor, self)
        return self.isStaged ? bytes.count : self.sendNow(bytes)
    }

    /// Sends what is staged, for what has to come after it.
    private func sendStaged() {
        if self.isStaged { self.batch.flush() }
    }

    func sent(allBut rest: Span<UInt8>, failure: SystemError?) {
        self.isStaged = false
        guard self.writeFailure == nil else { return }
        if let failure { return self.fail(self.reason(failure)) }
        if !rest.isEmpty { self.append(rest, from: self.sendNow(rest)) }
    }

    /// Whether the socket has taken everything.
    func hasSentAll() -> Bool {
        self.sendStaged()
        return self.queue.isEmpty
    }

    /// Returns how many bytes the socket took. After a failure it takes all: they are lost, as `receive` will report.
    private func sendNow(_ bytes: Span<UInt8>) -> Int {
        guard !bytes.isEmpty, self.writeFailure == nil else { return bytes.count }
        var sent = 0
        while sent < bytes.count {
            switch Kernel.send(self.descriptor, bytes.extracting(sent..<bytes.count)) {
            case .sent(let count): sent += count
            case .wouldBlock: return sent
            case .failed(let error):
                self.fail(self.reason(error))
                return bytes.count
            }
        }
        return sent
    }

    private func flush() {
        var queue = self.queue
        let count = queue.count
        self.queue = OutputQueue()
        queue.flush { self.sendNow($0) }
        // Nothing was queued meanwhile: sending calls nobody back.
        self.queue = self.writeFailure == nil ? queue : OutputQueue()
        if self.queue.count < count { self.queuedSince = self.worker.loop.now }
        guard self.queue.isEmpty else { return }
        self.heartbeat.flushed(at: self.worker.loop.now)
        if self.writeSide == .wanted { self.endWriting() }
    }

    private func reason(_ error: SystemError) -> String {
        if error.isTimeout { self.hasTimedOut = true }
        return error.reason
    }

    private func fail(_ reason: String) {
        self.writeFailure = reason
        self.queue.removeAll()
        self.mayRead = true
        self.isPaused = false
        self.readAgainLater()
    }

    // MARK: - Ending

    /// Ends our side once everything queued was sent: close_notify and FIN.
    func finish() {
        guard self.isOpen, self.writeSide == .open else { return }
        if let tls = self.tls, self.writeFailure == nil {
            tls.closeNotify()
            self.sendCiphertext()
        }
        self.writeSide = .wanted
        if self.hasSentAll() { self.endWriting() }
    }

    private func endWriting() {
        self.writeSide = .done
        Kernel.endWriting(self.descriptor)
    }

    /// Closes the socket. With bytes still queued the peer sees a reset: what it got is not all there was.
    ///
    /// - Parameter abruptly: the peer shall see a reset in any case.
    func close(abruptly: Bool = false) {
        guard self.isOpen else { return }
        self.sendStaged()
        self.isOpen = false
        if let registration = self.registration { self.worker.loop.forget(registration) }
        self.registration = nil
        self.worker.warm.remove(self)
        // Its session may wait for the other leg's end, and needs no buffers for this one.
        self.tls?.releaseBuffers()
        let abruptly = abruptly || !self.queue.isEmpty
        self.queue.removeAll()
        if abruptly { Kernel.reset(self.descriptor) } else { Kernel.close(self.descriptor) }
    }
}
