public import System
public import TLS

/// One stream socket, TCP or Unix: libssl where there is TLS, and the bytes that the socket did not take yet.
///
/// It knows nothing of what the bytes mean. This file has its life and plain reading; `Connection+TLS` has libssl's part, and
/// `Connection+Sending` the writing. Reading goes into the loop's buffers; writing goes to the socket at once, or with the small sends of
/// others at the end of the turn, and what the socket does not take is queued. Readiness is edge-triggered and remembered in `reading`.
public final class Connection: ReadinessHandler, StagedSender {
    /// How far our side has ended.
    public enum State: Sendable {
        case open
        /// Our side ends when the queue is empty. Nothing more can be sent.
        case shuttingDown
        /// Our side has ended (FIN). The peer may still send.
        case shutDown
        case closed
    }

    /// What one read gave.
    public enum Received: Equatable {
        /// Plain bytes, at this place in the loop's plaintext buffer.
        case bytes(Range<Int>)
        /// Bytes came, and none that can be read yet: a part of a TLS record, or a record without data.
        case incomplete
        case nothing
        /// The peer's end: in order, or (under TLS) without the close_notify that says so.
        case end(inOrder: Bool)
        case failed(ConnectionFailure)
    }

    /// What the owner calls it, where it has several.
    public let tag: UInt8
    /// Else it is a Unix socket.
    let isTCP: Bool
    /// `nil`: it is without TLS.
    public let tls: TLSConnection?
    public internal(set) var state = State.open
    /// Whether the latest `receive` took bytes from the socket: what libssl had left over says nothing of the peer.
    public internal(set) var tookBytes = true
    /// Whether this turn's event let something go that had waited in the queue.
    public private(set) var hasFlushed = false
    /// The kernel ended the connection: the peer acknowledged nothing, took nothing, or gave no answer, for too long.
    private var isEndedByKernel = false
    /// When libssl last worked for it; it may hold buffers since then.
    private(set) var lastUse = MonotonicInstant(nanoseconds: 0)
    /// Where it stands among the loop's warm connections; negative: it is none.
    var warmPlace: Int32 = -1

    /// Whether the socket may have bytes, or an end, that was not read yet.
    public var mayRead: Bool { self.reading.mayRead }
    /// Whether its owner reads nothing for now.
    public var isPaused: Bool { self.reading.isPaused }
    /// The kernel said that the peer ended or the socket failed.
    public var hasEnded: Bool { self.reading.hasEnded }
    /// How many bytes wait that the socket did not take.
    public var queuedBytes: Int { self.writing.queuedCount }
    /// Since when it has taken none of them; `nil`: none wait.
    public var queuedSince: MonotonicInstant? { self.writing.queuedSince }
    /// Whether the socket has not taken all that it was to be sent; what is staged counts as taken.
    public var hasUntaken: Bool { self.writing.untaken > 0 }
    /// Whether the socket has taken everything, what was staged included.
    public var hasSentAll: Bool { !self.writing.isStaged && self.writing.untaken == 0 }
    /// Why writing failed; `nil`: it did not.
    public var failure: ConnectionFailure? { self.writing.failure }
    /// Whether the socket is there.
    public var isOpen: Bool { self.state != .closed }

    let descriptor: Int32
    let context: ConnectionContext
    let plaintext: ReadBuffer
    let batch: SendBatch
    public internal(set) var reading = ReadSide()
    public internal(set) var writing = WriteSide()

    // Strong and constant, because a reference that is neither is counted with every message.
    private let owner: any ConnectionOwner
    private var registration: EventLoop.Registration?
    /// What the queue takes of memory for itself, as far as the owner was told, in bytes.
    public private(set) var countedMemory = 0
    /// The loop will call again anyway, when it is its turn.
    public private(set) var isScheduled = false

    /// - Parameters:
    ///   - descriptor: a socket that is connected, or was accepted. The connection closes it, unless this throws.
    ///   - address: the peer's.
    ///   - tag: what the owner calls it, where it has several.
    ///   - tls: `nil`: without TLS.
    public init(
        _ descriptor: Int32, _ address: SocketAddress, tag: UInt8 = 0, tls: TLSConnection? = nil,
        owner: any ConnectionOwner, _ context: ConnectionContext
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.tag = tag
        self.isTCP = address.port != nil
        self.tls = tls
        self.owner = owner
        self.context = context
        self.plaintext = context.buffers.plaintext
        self.batch = context.loop.sends
        self.registration = try context.loop.add(descriptor, self)
    }

    // MARK: - Events

    public func ready(_ readiness: Readiness) {
        // Only the call that was asked for comes without news.
        if readiness.isNone { self.isScheduled = false }
        self.reading.became(readiness)
        if self.reading.wasReset, self.isPaused { self.pause() }
        self.hasFlushed = readiness.isWritable && self.writing.queuedCount > 0
        if self.hasFlushed { self.flush() }
        self.owner.ready(self, readiness)
    }

    /// Has the owner called again when the others had their turn: there is more to read than is fair to read now.
    public func readAgainLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.context.loop.again(registration)
    }

    /// Has the owner make the next step of the TLS handshake when those with less to do had their turn.
    ///
    /// The second step comes before the first ones of others: it is the last one of nearly all, so that few handshakes are under way
    /// at a time. A third is in line: a peer that sends byte by byte takes no more turns than others.
    public func handshakeLater() {
        guard let registration = self.registration else { return }
        self.context.loop.againForLongStep(registration, isNext: self.tls?.handshakeSteps == 1)
    }

    public func makeLongStep(afterWaiting waited: Duration) -> Bool {
        self.owner.makeHandshakeStep(self, afterWaiting: waited)
    }

    /// Stops reading until `resume`. After a reset it fails instead: there is no peer left to hold back.
    public func pause() {
        self.reading.pause(at: self.context.loop.now)
        guard self.reading.wasReset else { return }
        self.reading.ignoresInput = true
        self.fail(self.takeResult())
    }

    /// Reads again. Returns how long that had been stopped.
    @discardableResult
    public func resume() -> Duration {
        let now = self.context.loop.now
        let pause = now - self.reading.lastRead(at: now)
        self.reading.resume(at: now)
        return pause
    }

    /// Has `receive` look at the socket, even if the loop was not told yet that there is something.
    public func lookAgain() { self.reading.lookAgain() }

    // MARK: - Reading

    /// Reads once. `mayRead` says whether calling again can give more.
    ///
    /// - Parameter limit: the most bytes to take from the socket, which the loop's buffers have room for.
    public func receive(atMost limit: Int) -> Received {
        if let failure = self.writing.failure { return self.receiveLast(atMost: limit, before: failure) }
        return self.receiveNext(atMost: limit)
    }

    /// Reads what the peer had sent before writing failed. Off the path of a message: inlined, it costs each of them.
    @inline(never)
    private func receiveLast(atMost limit: Int, before failure: ConnectionFailure) -> Received {
        if !self.reading.ignoresInput {
            let received = self.receiveNext(atMost: limit)
            switch received {
            case .bytes, .failed: return received
            case .nothing, .incomplete: if self.mayRead { return received }
            // The kernel tells of a reset once, and has told `send` of it: this is no orderly end.
            case .end: break
            }
        }
        self.reading.ranDry()
        return .failed(failure)
    }

    private func receiveNext(atMost limit: Int) -> Received {
        self.tls.map { self.receive(atMost: limit, through: $0) } ?? self.receivePlain(atMost: limit)
    }

    private func receivePlain(atMost limit: Int) -> Received {
        let headroom = ConnectionBuffers.headroom
        let plaintext = self.plaintext
        var buffer = plaintext.mutableSpan
        var room = buffer._mutatingExtracting(headroom..<(headroom + limit))
        switch Kernel.receive(self.descriptor, into: &room) {
        case .bytes(let count, let filled):
            self.reading.gave(filled: filled)
            return .bytes(headroom..<(headroom + count))
        case .wouldBlock:
            self.reading.ranDry()
            return .nothing
        case .end:
            self.reading.ranDry()
            return .end(inOrder: true)
        case .failed(let error):
            self.reading.ranDry()
            return .failed(self.note(error))
        }
    }

    // MARK: - Memory of idle connections

    /// libssl is about to work: its buffers (some 34 KiB) will be given back when the connection has been quiet for a while.
    func warmUp() {
        self.lastUse = self.context.loop.now
        if self.warmPlace < 0 { self.context.warm.add(self) }
    }

    // MARK: - What the kernel does

    /// Small sends are not held back to be sent with others (TCP_NODELAY).
    public func sendAtOnce() { Kernel.sendAtOnce(self.descriptor) }

    /// The kernel sees what we do not: whether the peer acknowledges what is in its buffer. It ends the connection when the peer takes
    /// nothing for so long; `nil`: when it likes. On a Unix socket there is nothing to set.
    public func setUserTimeout(_ timeout: Duration?) {
        if self.isTCP { Kernel.setUserTimeout(self.descriptor, timeout) }
    }

    /// Has the kernel ask a peer that is silent for `idle` seconds whether it is there, every `interval` seconds, and end the connection
    /// after `count` questions without an answer.
    public func keepAlive(idle: Int32, interval: Int32, count: Int32) {
        if self.isTCP { Kernel.keepAlive(self.descriptor, idle: idle, interval: interval, count: count) }
    }

    /// Ends `keepAlive`.
    public func endKeepAlive() {
        if self.isTCP { Kernel.endKeepAlive(self.descriptor) }
    }

    // MARK: - Delivery

    /// How many bytes of the connection its peer has not acknowledged: those in our queue, those in the kernel's, and those that will
    /// never be sent. On a Unix socket, what the kernel took lies with the peer.
    public var undelivered: Int {
        guard self.isOpen, self.isTCP else { return self.writing.untaken }
        let unacknowledged = Kernel.unacknowledged(self.descriptor)
        // Our FIN counts as a byte.
        let isEnd = self.state == .shutDown && unacknowledged > 0
        return self.writing.untaken + unacknowledged - (isEnd ? 1 : 0)
    }

    /// How many bytes its peer has acknowledged: it says only whether there are more than before.
    public var acknowledged: UInt64 {
        self.isTCP ? Kernel.acknowledged(self.descriptor) : self.writing.takenEver
    }

    /// Whether its peer has taken some of what the kernel has since this was asked last, while the socket took nothing.
    public func hasProgressed() -> Bool {
        self.isTCP && self.writing.hasProgressed(self.acknowledged, at: self.context.loop.now)
    }

    /// The kernel ended the connection with something that its peer has not taken, our end included. Without, it has asked in vain whether
    /// its peer is there.
    public var hasStalled: Bool {
        self.isEndedByKernel && (self.writing.untaken > 0 || Kernel.unacknowledged(self.descriptor) > 0)
    }

    // MARK: - Ending

    /// Ends our side once everything queued was sent: close_notify and FIN.
    public func shutDown() {
        guard self.state == .open else { return }
        if let tls = self.tls, self.writing.failure == nil {
            tls.closeNotify()
            self.sendCiphertext()
        }
        self.state = .shuttingDown
        self.sendStaged()
        if self.hasSentAll { self.endWriting() }
    }

    /// Ends our side now.
    func endWriting() {
        self.state = .shutDown
        Kernel.endWriting(self.descriptor)
    }

    /// Closes the socket. With bytes still queued the peer sees a reset: what it got is not all there was.
    ///
    /// - Parameter abruptly: the peer shall see a reset in any case.
    public func close(abruptly: Bool = false) {
        guard self.isOpen else { return }
        self.sendStaged()
        self.state = .closed
        if let registration = self.registration { self.context.loop.forget(registration) }
        self.registration = nil
        self.context.warm.remove(self)
        // Its owner may keep it for a while, and needs no buffers for it.
        self.tls?.releaseBuffers()
        let abruptly = abruptly || self.hasUntaken
        self.writing.close()
        self.countQueue()
        // Its number may be another socket's from now on.
        self.reading.close()
        if abruptly { Kernel.reset(self.descriptor) } else { Kernel.close(self.descriptor) }
    }

    // MARK: - Memory

    /// The queue has changed.
    func countQueue() {
        let memory = self.writing.ownMemory
        guard memory != self.countedMemory else { return }
        let change = memory - self.countedMemory
        self.countedMemory = memory
        self.owner.queued(changedBy: change)
    }

    /// What is queued takes of memory, in bytes, with all of what other queues have, too.
    public var queuedMemory: Int { self.writing.ownMemory + self.writing.sharedCount }

    // MARK: - Failures

    /// A call of ours failed.
    func note(_ error: SystemError) -> ConnectionFailure {
        if error.isEndByKernel { self.isEndedByKernel = true }
        return ConnectionFailure(error)
    }

    /// Asks the kernel, which tells once, why the connection has failed; `nil`: it did not say that it has.
    public func takeFailure() -> ConnectionFailure? { self.reading.wasReset ? self.takeResult() : nil }

    private func takeResult() -> ConnectionFailure {
        Kernel.takeConnectionError(self.descriptor).map { self.note($0) } ?? .reset
    }

    /// The connection is of no use any more. The owner hears of it by reading.
    func fail(_ failure: ConnectionFailure) {
        guard self.isOpen else { return }
        self.writing.fail(failure)
        self.countQueue()
        self.reading.lookAgain()
        self.reading.resume(at: self.context.loop.now)
        self.readAgainLater()
    }
}
