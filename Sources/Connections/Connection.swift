public import System
public import TLS

/// One stream socket, TCP or Unix, with libssl if it has TLS, and the queue of bytes that the socket did not accept yet.
///
/// It does not know what the bytes mean. This file has its life, plain reading and writing, `Connection+TLS` libssl's part, and
/// `Connection+Delivery` what the kernel does and knows. Reads go into the loop's buffers. Sends go to the socket at once, or with other
/// small sends at the end of the turn; what the socket does not accept is queued. Readiness is edge-triggered and remembered in `reading`.
public final class Connection: ReadinessHandler, SendBatch.Sender {
    /// How far our side has ended.
    public enum State: Sendable {
        case open
        /// Our side ends when the queue is empty. Nothing more can be sent.
        case shuttingDown
        /// Our side has ended (FIN). The peer may still send.
        case shutDown
        case closed
    }

    /// The result of one read.
    public enum Received: Equatable {
        /// Plain bytes, at these positions in the loop's plaintext buffer.
        case bytes(Range<Int>)
        /// Bytes came, but no data yet: a part of a TLS record, or a record without data.
        case incomplete
        case nothing
        /// The peer has ended its side. Over TLS, it is in order only with a close_notify (RFC 8446 section 6.1).
        case end(inOrder: Bool)
        case failed(ConnectionFailure)
    }

    /// Identifies the connection if the owner has several.
    public let tag: UInt8
    /// `false` for a Unix socket.
    let isTCP: Bool
    /// `nil` without TLS.
    public let tls: TLSConnection?
    /// How far our side has ended.
    public internal(set) var state = State.open
    /// Whether the latest `receive` took bytes from the socket. Bytes that libssl had left say nothing of the peer.
    public internal(set) var tookBytes = true
    /// Whether this turn's event let queued bytes be sent.
    public private(set) var hasFlushed = false
    /// The kernel ended the connection: for too long, the peer acknowledged nothing, accepted nothing or did not answer.
    private(set) var isEndedByKernel = false
    /// When libssl last worked for this connection; since then it may hold buffers.
    private(set) var lastUse = MonotonicInstant(nanoseconds: 0)
    /// The index among the loop's warm connections; negative if it is not there.
    var warmPlace: Int32 = -1

    /// Whether the socket may have bytes or an end that was not read yet.
    public var mayRead: Bool { self.reading.mayRead }
    /// Whether the owner has stopped reading for now.
    public var isPaused: Bool { self.reading.isPaused }
    /// Whether the kernel said that the peer ended or the socket failed.
    public var hasEnded: Bool { self.reading.hasEnded }
    /// How many bytes are queued because the socket did not accept them.
    public var queuedBytes: Int { self.writing.queuedCount }
    /// Since when the socket has accepted none of the queued bytes; `nil` if none are queued.
    public var queuedSince: MonotonicInstant? { self.writing.queuedSince }
    /// Whether the socket has not accepted everything; staged bytes count as accepted.
    public var hasUntaken: Bool { self.writing.untaken > 0 }
    /// Whether the socket has accepted everything; staged bytes count as not accepted.
    public var hasSentAll: Bool { !self.writing.isStaged && self.writing.untaken == 0 }
    /// Why writing failed; `nil` if it did not.
    public var failure: ConnectionFailure? { self.writing.failure }
    /// Whether the socket is not closed yet.
    public var isOpen: Bool { self.state != .closed }

    let descriptor: Int32
    let context: ConnectionContext
    let plaintext: ReadBuffer
    let batch: SendBatch
    /// What is known of the bytes from the peer.
    public internal(set) var reading = ReadSide()
    /// The bytes for the peer that the socket did not accept.
    public internal(set) var writing = WriteSide()

    // A reference cycle that the owner breaks when it releases the connection; `let`, because mutable or weak references cost a retain per
    // message.
    private let owner: any ConnectionOwner
    private var registration: EventLoop.Registration?
    /// The bytes of memory for the queue alone that the owner, or an earlier one, was told of.
    public private(set) var countedMemory = 0
    /// The loop will call again anyway, when it is this connection's turn.
    public private(set) var isScheduled = false

    /// Watches the socket on the loop. Throws if the loop cannot.
    ///
    /// - Parameters:
    ///   - descriptor: a connected or accepted socket. The connection closes it, unless this throws.
    ///   - address: the peer's.
    ///   - tag: identifies the connection if the owner has several.
    ///   - tls: `nil` without TLS.
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

    /// Takes over from `other`, which has no staged output.
    private init(from other: Connection, owner: any ConnectionOwner) {
        self.descriptor = other.descriptor
        self.tag = other.tag
        self.isTCP = other.isTCP
        self.tls = other.tls
        self.owner = owner
        self.context = other.context
        self.plaintext = other.plaintext
        self.batch = other.batch
        self.registration = other.registration
        self.state = other.state
        self.reading = other.reading
        self.writing = other.writing
        self.countedMemory = other.countedMemory
        self.tookBytes = other.tookBytes
        self.hasFlushed = other.hasFlushed
        self.isEndedByKernel = other.isEndedByKernel
        self.isScheduled = other.isScheduled
        self.lastUse = other.lastUse
    }

    // MARK: - Another owner

    /// Gives the socket and all that is queued to a new connection, which `owner` owns. This one is closed then, and says nothing more.
    ///
    /// An object of its own, so that `owner` is a constant.
    public func handOver(to owner: any ConnectionOwner) -> Connection {
        self.sendStaged()
        let heir = Connection(from: self, owner: owner)
        if let registration = self.registration { self.context.loop.hand(registration, to: heir) }
        if self.warmPlace >= 0 {
            self.context.warm.remove(self)
            self.context.warm.add(heir)
        }
        self.registration = nil
        self.state = .closed
        self.writing = WriteSide()
        self.reading.close()
        return heir
    }

    // MARK: - Events

    /// Flushes the queue if the socket accepts bytes again, then calls the owner.
    public func ready(_ readiness: Readiness) {
        // Only a call that `readAgainLater` asked for has no news.
        if readiness.isNone { self.isScheduled = false }
        self.reading.became(readiness)
        if self.reading.wasReset, self.isPaused { self.pause() }
        self.hasFlushed = readiness.isWritable && self.writing.queuedCount > 0
        if self.hasFlushed { self.flush() }
        self.owner.ready(self, readiness)
    }

    /// Has the owner called again after the others had their turn, because more is there than is fair to read now.
    public func readAgainLater() {
        guard let registration = self.registration, !self.isScheduled else { return }
        self.isScheduled = true
        self.context.loop.again(registration)
    }

    /// Has the owner make the next step of the TLS handshake after handlers with less to do had their turn.
    ///
    /// A second step goes before first steps: it completes nearly every handshake, so few are in progress at a time. A third step waits in
    /// line, so that a peer that sends byte by byte gets no more turns than others.
    public func handshakeLater() {
        guard let registration = self.registration else { return }
        self.context.loop.againForLongStep(registration, isNext: self.tls?.handshakeSteps == 1)
    }

    /// It is the turn of the next step of the TLS handshake. Returns whether there was anything to do.
    public func makeLongStep(afterWaiting waited: Duration) -> Bool {
        self.owner.makeHandshakeStep(self, afterWaiting: waited)
    }

    /// Stops reading until `resume`. After a reset the connection fails instead, because no peer is left to hold back.
    public func pause() {
        self.reading.pause(at: self.context.loop.now)
        guard self.reading.wasReset else { return }
        self.reading.ignoresInput = true
        self.fail(self.takeResult())
    }

    /// Reads again.
    ///
    /// - Returns: how long reading was stopped.
    @discardableResult
    public func resume() -> Duration {
        let now = self.context.loop.now
        let pause = now - self.reading.lastRead(at: now)
        self.reading.resume(at: now)
        return pause
    }

    /// Lets `receive` try the socket even if the kernel has reported nothing new.
    public func lookAgain() { self.reading.lookAgain() }

    // MARK: - Reading

    /// Reads once. `mayRead` says whether another call can return more.
    ///
    /// - Parameter limit: the most bytes to take from the socket; the loop's buffers must have room for them.
    public func receive(atMost limit: Int) -> Received {
        if let failure = self.writing.failure { return self.receiveLast(atMost: limit, before: failure) }
        return self.receiveNext(atMost: limit)
    }

    /// Reads what the peer sent before writing failed. Not inlined, because that would cost every message.
    @inline(never)
    private func receiveLast(atMost limit: Int, before failure: ConnectionFailure) -> Received {
        if !self.reading.ignoresInput {
            let received = self.receiveNext(atMost: limit)
            switch received {
            case .bytes, .failed: return received
            case .nothing, .incomplete: if self.mayRead { return received }
            // The kernel reports a reset only once, and `send` got it: this end is not in order.
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

    // MARK: - Sending

    /// Sends `bytes`: now as far as the socket accepts them, the rest when it can.
    public func send(_ bytes: Span<UInt8>) {
        guard self.state == .open else { return }
        if let tls = self.tls, self.writing.failure == nil {
            self.warmUp()
            if let error = tls.encrypt(bytes) { self.fail(.tls(error)) }
            self.sendCiphertext()
        } else {
            self.sendOrQueue(bytes)
        }
    }

    /// Sends bytes that many connections get: what the socket does not accept is shared, not copied.
    public func send(sharing shared: SharedBytes) {
        let bytes = shared.bytes
        guard self.tls == nil else { return self.send(bytes.span) }
        guard self.state == .open else { return }
        let sent = self.stageOrSend(bytes.span)
        guard sent < bytes.count else { return }
        self.beginQueuing()
        self.writing.append(sharing: shared, from: sent, at: self.context.loop.now)
        self.countQueue()
    }

    /// Sends bytes that need no encryption any more.
    func sendOrQueue(_ bytes: Span<UInt8>) {
        let sent = self.stageOrSend(bytes)
        if sent < bytes.count { self.append(bytes, from: sent) }
    }

    @inline(never)
    private func append(_ bytes: Span<UInt8>, from start: Int) {
        self.beginQueuing()
        // The copy may go into memory that the kernel first has to provide.
        self.context.loop.budget.spend(Work.queued(bytes.count - start))
        self.writing.append(bytes, from: start, at: self.context.loop.now)
        self.countQueue()
    }

    /// The most unsent bytes that the kernel accepts once the socket has not accepted everything: a slow peer's backlog then waits in our
    /// queue, where it is counted, and not in megabytes of the kernel's.
    private static let mostUnsent = 128 << 10

    /// What follows is queued.
    private func beginQueuing() {
        if self.writing.queuedEver == 0, self.isTCP { Kernel.limitUnsent(self.descriptor, to: Self.mostUnsent) }
    }

    /// Returns how many bytes the socket accepted, or will be given at the end of the turn. The rest has to be queued.
    private func stageOrSend(_ bytes: Span<UInt8>) -> Int {
        if self.writing.isStaged {
            if self.batch.extend(bytes, self) { return bytes.count }
            self.batch.flush()
        }
        guard self.writing.queuedCount == 0, !bytes.isEmpty, self.writing.failure == nil else { return 0 }
        self.writing.isStaged = self.batch.stage(bytes, for: self.descriptor, self)
        return self.writing.isStaged ? bytes.count : self.sendNow(bytes)
    }

    /// Sends staged bytes, before anything that must follow them.
    public func sendStaged() {
        if self.writing.isStaged { self.batch.flush() }
    }

    /// Called after a flush. `rest` was not accepted.
    public func sent(allBut rest: Span<UInt8>, failure: SystemError?) {
        self.writing.isStaged = false
        if let failure, self.writing.failure == nil { self.fail(self.note(failure)) }
        guard !rest.isEmpty else { return }
        let sent = self.sendNow(rest)
        if sent < rest.count { self.append(rest, from: sent) }
    }

    /// Returns how many bytes the socket accepted: none after a failure, which `receive` will report.
    private func sendNow(_ bytes: Span<UInt8>) -> Int {
        guard self.writing.failure == nil else { return 0 }
        var sent = 0
        while sent < bytes.count {
            switch Kernel.send(self.descriptor, bytes.extracting(sent..<bytes.count)) {
            case .sent(let count): sent += count
            case .wouldBlock: return sent
            case .failed(let error):
                self.fail(self.note(error))
                return sent
            }
        }
        return sent
    }

    /// The socket accepts bytes again.
    func flush() {
        guard self.writing.failure == nil else { return }
        var queue = self.writing.takeQueue()
        let count = queue.count
        queue.flush { self.sendNow($0) }
        self.context.loop.budget.spend(Work.send + Work.bytes(count - queue.count, tls: false))
        self.writing.putBack(queue, of: count, at: self.context.loop.now)
        self.countQueue()
        guard self.writing.untaken == 0 else { return }
        if self.state == .shuttingDown { self.endWriting() }
    }

    // MARK: - Memory of idle connections

    /// libssl is about to work: its buffers, about 34 KiB, are released once the connection has been quiet for a while.
    func warmUp() {
        self.lastUse = self.context.loop.now
        if self.warmPlace < 0 { self.context.warm.add(self) }
    }

    // MARK: - Ending

    /// Shuts our side down after everything that is queued: close_notify over TLS, and FIN.
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

    /// Sends our FIN now.
    func endWriting() {
        self.state = .shutDown
        Kernel.endWriting(self.descriptor)
    }

    /// Closes the socket. If bytes are still queued, the peer sees a reset, so that incomplete data does not look complete.
    ///
    /// - Parameter abruptly: whether to reset in any case.
    public func close(abruptly: Bool = false) {
        guard self.isOpen else { return }
        self.sendStaged()
        self.state = .closed
        if let registration = self.registration { self.context.loop.forget(registration) }
        self.registration = nil
        self.context.warm.remove(self)
        // The owner may keep a closed connection for a while.
        self.tls?.releaseBuffers()
        let abruptly = abruptly || self.hasUntaken
        self.writing.close()
        self.countQueue()
        // The descriptor's number may soon be another socket's.
        self.reading.close()
        if abruptly { Kernel.reset(self.descriptor) } else { Kernel.close(self.descriptor) }
    }

    // MARK: - Memory

    /// Tells the owner how much the queue's memory has changed.
    func countQueue() {
        let memory = self.writing.ownMemory
        guard memory != self.countedMemory else { return }
        let change = memory - self.countedMemory
        self.countedMemory = memory
        self.owner.queued(changedBy: change)
    }

    /// The memory of the queue in bytes, with all that it shares with other queues.
    public var queuedMemory: Int { self.writing.ownMemory + self.writing.sharedCount }

    // MARK: - Failures

    /// Remembers whether `error` says that the kernel ended the connection.
    func note(_ error: SystemError) -> ConnectionFailure {
        if error.isEndByKernel { self.isEndedByKernel = true }
        return ConnectionFailure(error)
    }

    /// Why the connection failed; `nil` if the kernel has not reported a failure. The kernel tells it only once.
    public func takeFailure() -> ConnectionFailure? { self.reading.wasReset ? self.takeResult() : nil }

    private func takeResult() -> ConnectionFailure {
        Kernel.takeConnectionError(self.descriptor).map { self.note($0) } ?? .reset
    }

    /// The connection has failed. `receive` reports it to the owner.
    func fail(_ failure: ConnectionFailure) {
        guard self.isOpen else { return }
        self.writing.fail(failure)
        self.countQueue()
        self.reading.lookAgain()
        self.reading.resume(at: self.context.loop.now)
        self.readAgainLater()
    }
}
