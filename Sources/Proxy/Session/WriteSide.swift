internal import EventLoop

/// What a transport has for its peer that the socket did not take yet, and how far our side of the connection has ended.
struct WriteSide {
    enum End {
        case open
        /// Our side ends when the queue is empty.
        case wanted
        case done
    }

    private(set) var queue = OutputQueue()
    /// Since when the socket has taken none of what is queued.
    private(set) var queuedSince = MonotonicInstant.never
    /// How many bytes were queued so far, and how many of these the socket will never take.
    private(set) var queuedEver: UInt64 = 0
    private var lostBytes: UInt32 = 0
    /// What the peer had acknowledged when it seemed to take nothing: the last digits of it.
    private var acknowledged: UInt32 = 0
    /// Some bytes wait for the end of the turn. Then the queue is empty.
    var isStaged = false
    var end = End.open
    /// What went wrong while writing: reading will report it, after what the peer had sent before.
    private(set) var failure: String?

    /// How many bytes the socket will never take. A session that is idle carries four bytes for it.
    private var lost: Int {
        get { Int(self.lostBytes) }
        set { self.lostBytes = UInt32(clamping: newValue) }
    }

    /// How many bytes the socket has not taken.
    var untaken: Int { self.queue.count + self.lost }

    /// How many of the bytes that were queued the socket has taken.
    var takenEver: UInt64 { self.queuedEver - UInt64(self.untaken) }

    /// Adds what the socket did not take of `bytes`, from `start` on.
    mutating func append(_ bytes: Span<UInt8>, from start: Int, at now: MonotonicInstant) {
        guard self.willQueue(bytes.count - start, at: now) else { return }
        self.queue.append(bytes.extracting(start..<bytes.count))
    }

    /// The same, sharing the bytes with other queues.
    ///
    /// - Parameter account: of the worker.
    mutating func append(
        sharing bytes: SharedBytes, from start: Int, at now: MonotonicInstant, _ account: MemoryAccount
    ) {
        guard self.willQueue(bytes.bytes.count - start, at: now) else { return }
        if self.queue.append(sharing: bytes, from: start) { bytes.isKept(by: account) }
    }

    /// False if that many bytes are lost instead.
    private mutating func willQueue(_ count: Int, at now: MonotonicInstant) -> Bool {
        self.queuedEver += UInt64(count)
        guard self.failure == nil else {
            self.lost += count
            return false
        }
        if self.queue.isEmpty { self.queuedSince = now }
        return true
    }

    /// Lends the queue to whoever sends it, until `putBack`.
    mutating func takeQueue() -> OutputQueue {
        let queue = self.queue
        self.queue = OutputQueue()
        return queue
    }

    /// What is left of the queue, that had `count` bytes. Nothing was queued meanwhile: sending calls nobody back.
    mutating func putBack(_ queue: OutputQueue, of count: Int, at now: MonotonicInstant) {
        self.queue = queue
        if queue.count < count { self.queuedSince = now }
        if self.failure != nil { self.loseQueue() }
    }

    /// The socket took nothing for a while, but its peer may have taken some of what the kernel has: then that counts.
    ///
    /// - Parameter acknowledged: how many bytes the peer has acknowledged in all.
    /// - Returns: whether it has taken any since the last time.
    mutating func hasProgressed(_ acknowledged: UInt64, at now: MonotonicInstant) -> Bool {
        let acknowledged = UInt32(truncatingIfNeeded: acknowledged)
        guard acknowledged != self.acknowledged else { return false }
        self.acknowledged = acknowledged
        self.queuedSince = now
        return true
    }

    /// Nothing can be sent any more.
    mutating func fail(_ reason: String) {
        self.failure = reason
        self.loseQueue()
    }

    /// Nothing will be sent any more.
    mutating func close() { self.loseQueue() }

    private mutating func loseQueue() {
        self.lost += self.queue.count
        self.queue.removeAll()
    }
}
