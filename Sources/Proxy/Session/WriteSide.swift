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
    /// Some bytes wait for the end of the turn. Then the queue is empty.
    var isStaged = false
    var end = End.open
    /// What went wrong while writing: reading will report it, after what the peer had sent before.
    private(set) var failure: String?

    /// Whether there is a use in sending.
    var takesBytes: Bool { self.end == .open && self.failure == nil }

    /// Adds what the socket did not take of `bytes`, from `start` on.
    mutating func append(_ bytes: Span<UInt8>, from start: Int, at now: MonotonicInstant) {
        if self.queue.isEmpty { self.queuedSince = now }
        self.queue.append(bytes.extracting(start..<bytes.count))
    }

    /// The same, sharing the bytes with other queues.
    ///
    /// - Parameter account: of the worker.
    mutating func append(
        sharing bytes: SharedBytes, from start: Int, at now: MonotonicInstant, _ account: MemoryAccount
    ) {
        if self.queue.isEmpty { self.queuedSince = now }
        if self.queue.append(sharing: bytes, from: start) { bytes.isKept(by: account) }
    }

    /// Lends the queue to whoever sends it, until `putBack`.
    mutating func takeQueue() -> OutputQueue {
        let queue = self.queue
        self.queue = OutputQueue()
        return queue
    }

    /// What is left of the queue, that had `count` bytes. Nothing was queued meanwhile: sending calls nobody back.
    mutating func putBack(_ queue: OutputQueue, of count: Int, at now: MonotonicInstant) {
        if self.failure == nil { self.queue = queue }
        if self.queue.count < count { self.queuedSince = now }
    }

    /// Nothing can be sent any more.
    mutating func fail(_ reason: String) {
        self.failure = reason
        self.queue.removeAll()
    }

    /// Nothing will be sent any more.
    mutating func close() { self.queue.removeAll() }
}
