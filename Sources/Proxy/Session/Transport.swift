internal import Configuration
internal import System
internal import TLS

/// One leg's connection: a socket, libssl where there is TLS, and the bytes the socket did not take yet.
///
/// It knows nothing of frames. This file has the life of the connection and plain reading; `Transport+TLS` has libssl's part, and
/// `Transport+Sending` the writing. Reading goes into the worker's buffers; writing goes to the socket at once, or with the small sends of
/// others at the end of the turn, and what the socket does not take is queued. Readiness is edge-triggered and remembered in `reading`.
final class Transport: ReadinessHandler, StagedSender {
    enum Received {
        /// Plain bytes, at this place in the worker's plaintext buffer.
        case bytes(Range<Int>)
        case nothing
        /// The peer's end: in order, or (under TLS) without the close_notify that says so.
        case end(inOrder: Bool)
        case failed(String)
    }

    let leg: Leg
    /// Else it is a Unix socket.
    let isTCP: Bool
    let tls: TLSConnection?
    var heartbeat: Heartbeat
    /// Whether this turn's event let something go that had waited in the queue.
    private(set) var hasFlushed = false
    private(set) var isOpen = true
    /// The kernel ended the connection: the peer acknowledged nothing, took nothing, or gave no answer, for too long.
    private var isEndedByKernel = false
    /// When libssl last worked for this leg; it may hold buffers since then.
    private(set) var lastUse = MonotonicInstant(nanoseconds: 0)
    /// Where it stands among the worker's warm legs; negative: it is none.
    var warmPlace: Int32 = -1

    /// Whether the socket may have bytes, or an end, that was not read yet.
    var mayRead: Bool { self.reading.mayRead }
    var isPaused: Bool { self.reading.isPaused }
    /// The kernel said that the peer ended or the socket failed.
    var hasEnded: Bool { self.reading.hasEnded }
    /// How many bytes wait that the socket did not take.
    var queuedBytes: Int { self.writing.queuedCount }
    /// Since when it has taken none of them; `nil`: none wait.
    var queuedSince: MonotonicInstant? { self.writing.queuedSince }
    /// Whether the socket has not taken all that it was to be sent; what is staged counts as taken.
    var hasUntaken: Bool { self.writing.untaken > 0 }
    /// Why writing failed; `nil`: it did not.
    var failure: String? { self.writing.failure }

    // What the other files of this type need; nobody else.
    let descriptor: Int32
    let worker: Worker
    let plaintext: ReadBuffer
    let batch: SendBatch
    var reading = ReadSide()
    var writing = WriteSide()

    // Owners of each other: a session gives its transports up when it ends. Strong and constant, because a reference that is neither
    // is counted with every message.
    private let session: Session
    private var registration: EventLoop.Registration?
    /// What the queue takes of memory for itself, as far as it is counted, in bytes.
    private(set) var countedMemory = 0
    /// The loop will call again anyway, when it is its turn.
    private(set) var isScheduled = false

    init(
        _ descriptor: Int32, _ address: SocketAddress, _ leg: Leg, tls: TLSConnection?, session: Session, worker: Worker
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.leg = leg
        self.isTCP = address.port != nil
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
        self.reading.became(readiness)
        if self.reading.wasReset, self.isPaused { self.pause() }
        self.hasFlushed = readiness.isWritable && self.writing.queuedCount > 0
        if self.hasFlushed { self.flush() }
        self.session.ready(self, readiness)
    }

    /// Has the session called again when the others had their turn: there is more to read than is fair to read now.
    func readAgainLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.worker.loop.again(registration)
    }

    /// Has the session make the next step of this leg's TLS handshake when those with less to do had their turn.
    ///
    /// The second step comes before the first ones of others: it is the last one of nearly all, so that few handshakes are under way
    /// at a time. A third is in line: a peer that sends byte by byte takes no more turns than others.
    func handshakeLater() {
        guard let registration = self.registration else { return }
        self.worker.loop.againForLongStep(registration, isNext: self.tls?.handshakeSteps == 1)
    }

    func makeLongStep(afterWaiting waited: Duration) -> Bool {
        self.session.makeHandshakeStep(self, afterWaiting: waited)
    }

    /// Stops reading until `resume`. A peer that was reset is not waited for: nobody is left to hold back.
    func pause() {
        self.reading.pause(at: self.worker.loop.now)
        guard self.reading.wasReset else { return }
        self.reading.ignoresInput = true
        self.fail(Kernel.takeConnectionError(self.descriptor).map { self.reason($0) } ?? "the connection was reset")
    }

    func resume() {
        guard self.isPaused else { return }
        let now = self.worker.loop.now
        if self.leg == .client { self.session.memory.resumed(afterPause: now - self.reading.lastRead(at: now)) }
        self.reading.resume(at: now)
        self.heartbeat.resumed(at: self.worker.loop.now)
    }

    // MARK: - Heartbeat

    /// The session is open: from now on the peer has to live.
    ///
    /// - Parameters:
    ///   - settings: `nil`: nobody looks but the kernel.
    ///   - takesPings: whether it is a WebSocket.
    ///   - spread: random.
    func beginHeartbeat(_ settings: HeartbeatSettings?, takesPings: Bool, spread: UInt8) {
        self.heartbeat = Heartbeat(at: self.worker.loop.now, spread: spread)
        if let settings { self.setUserTimeout(settings.interval + settings.timeout) }
        if settings == nil || !takesPings { self.keepAlive(settings) }
    }

    /// Another heartbeat holds from now on.
    func changeHeartbeat(_ settings: HeartbeatSettings?, takesPings: Bool) {
        self.setUserTimeout(settings.map { $0.interval + $0.timeout })
        if settings == nil || !takesPings { return self.keepAlive(settings) }
        if self.isTCP { Kernel.endKeepAlive(self.descriptor) }
    }

    /// The kernel asks the peer whether it is there, where nobody else does.
    private func keepAlive(_ settings: HeartbeatSettings?) {
        guard self.isTCP else { return }
        let times = KeepAlive(settings)
        Kernel.keepAlive(self.descriptor, idle: times.idle, interval: times.interval, count: times.count)
    }

    /// The kernel sees what we do not: whether the peer acknowledges what is in its buffer. It gives the connection up when the peer takes
    /// nothing for so long.
    func setUserTimeout(_ timeout: Duration?) {
        if self.isTCP { Kernel.setUserTimeout(self.descriptor, timeout) }
    }

    /// What there is to do for the peer.
    ///
    /// - Parameter takesPings: whether it is a WebSocket.
    func checkHeartbeat(_ settings: HeartbeatSettings, takesPings: Bool) -> Heartbeat.Due {
        self.heartbeat.check(
            at: self.worker.loop.now, settings,
            .init(
                takesPings: takesPings, isPaused: self.isPaused,
                queuedSince: self.queuedSince))
    }

    /// Sends a ping of ours, a whole frame.
    func sendPing(_ frame: [UInt8]) {
        self.send(frame.span)
        let spread = UInt8(truncatingIfNeeded: Randomness.word())
        self.heartbeat.pinged(at: self.worker.loop.now, isFlushed: self.sendAll(), spread: spread)
    }

    /// How long its peer was not read.
    func unread(at now: MonotonicInstant) -> LegClosing.Unread { self.reading.unread(at: now) }

    /// Why the kernel says that the connection has failed; `nil`: it does not.
    func resetReason() -> String? {
        guard self.reading.wasReset else { return nil }
        return Kernel.takeConnectionError(self.descriptor).map { self.reason($0) } ?? "the connection was reset"
    }

    /// Has `receive` look at the socket, even if the loop was not told yet that there is something.
    func lookAgain() { self.reading.lookAgain() }

    /// Bytes came.
    func heard() {
        if self.heartbeat.heard(at: self.worker.loop.now) { self.session.isNoLongerLate(self.leg) }
    }

    // MARK: - Connecting

    func sendAtOnce() { Kernel.sendAtOnce(self.descriptor) }

    // MARK: - Reading

    /// Reads once. `mayRead` says whether calling again can give more.
    func receive() -> Received {
        guard let failure = self.writing.failure else { return self.receiveNext() }
        if !self.reading.ignoresInput {
            let received = self.receiveNext()
            switch received {
            case .bytes, .failed: return received
            case .nothing: if self.mayRead { return received }
            // The kernel tells of a reset once, and it told whoever wrote: this is no orderly end.
            case .end: break
            }
        }
        self.reading.ranDry()
        return .failed(failure)
    }

    private func receiveNext() -> Received {
        self.tls.map { self.receive(through: $0) } ?? self.receivePlain()
    }

    private func receivePlain() -> Received {
        let headroom = WorkerBuffers.headroom
        let plaintext = self.plaintext
        var buffer = plaintext.mutableSpan
        var room = buffer._mutatingExtracting(headroom..<(headroom + self.worker.memory.readSize))
        switch Kernel.receive(self.descriptor, into: &room) {
        case .bytes(let count, let filled):
            self.reading.gave(filled: filled)
            self.heard()
            return .bytes(headroom..<(headroom + count))
        case .wouldBlock:
            self.reading.ranDry()
            return .nothing
        case .end:
            self.reading.ranDry()
            return .end(inOrder: true)
        case .failed(let error):
            self.reading.ranDry()
            return .failed(self.reason(error))
        }
    }

    // MARK: - Memory of idle legs

    /// libssl is about to work: its buffers (some 34 KiB) will be given back when the leg has been quiet for a while.
    func warmUp() {
        self.lastUse = self.worker.loop.now
        if self.warmPlace < 0 { self.worker.warm.add(self) }
    }

    // MARK: - Delivery

    /// How many bytes of the connection its peer has not acknowledged: those in our queue, those in the kernel's, and those that will
    /// never be sent. On a Unix socket, what the kernel took lies with the peer.
    var undelivered: Int {
        guard self.isOpen else { return self.writing.untaken }
        guard self.isTCP else { return self.writing.untaken }
        let unacknowledged = Kernel.unacknowledged(self.descriptor)
        // Our FIN counts as a byte.
        let isEnd = self.writing.end == .done && unacknowledged > 0
        return self.writing.untaken + unacknowledged - (isEnd ? 1 : 0)
    }

    /// How many bytes its peer has acknowledged: it says only whether there are more than before.
    var acknowledged: UInt64 { self.isTCP ? Kernel.acknowledged(self.descriptor) : self.writing.takenEver }

    /// Whether its peer has taken some of what the kernel has since this was asked last, while the socket took nothing.
    func hasProgressed() -> Bool {
        self.isTCP && self.writing.hasProgressed(self.acknowledged, at: self.worker.loop.now)
    }

    /// The kernel ended the connection with something that its peer has not taken, our end included. Without, it has asked in vain whether
    /// its peer is there.
    var hasStalled: Bool {
        self.isEndedByKernel && (self.writing.untaken > 0 || Kernel.unacknowledged(self.descriptor) > 0)
    }

    // MARK: - Ending

    /// Ends our side once everything queued was sent: close_notify and FIN.
    func shutDown() {
        guard self.isOpen, self.writing.end == .open else { return }
        if let tls = self.tls, self.writing.failure == nil {
            tls.closeNotify()
            self.sendCiphertext()
        }
        self.writing.end = .wanted
        if self.sendAll() { self.endWriting() }
    }

    /// Ends our side now.
    func endWriting() {
        self.writing.end = .done
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
        let abruptly = abruptly || self.hasUntaken
        self.writing.close()
        self.countQueue()
        if abruptly { Kernel.reset(self.descriptor) } else { Kernel.close(self.descriptor) }
    }

    // MARK: - Memory

    /// The queue has changed.
    func countQueue() {
        let memory = self.writing.ownMemory
        guard memory != self.countedMemory else { return }
        let change = memory - self.countedMemory
        self.countedMemory = memory
        self.session.queued(changedBy: change)
    }

    /// What is queued takes of memory, in bytes, with all of what other queues have, too.
    var queuedMemory: Int { self.writing.ownMemory + self.writing.sharedCount }

    // MARK: - Failures

    /// Why a call of ours failed, in words.
    func reason(_ error: SystemError) -> String {
        if error.isEndByKernel { self.isEndedByKernel = true }
        return error.reason
    }

    /// The connection is of no use any more. The session hears of it by reading.
    func fail(_ reason: String) {
        self.writing.fail(reason)
        self.countQueue()
        self.reading.lookAgain()
        self.reading.resume(at: self.worker.loop.now)
        self.readAgainLater()
    }
}
