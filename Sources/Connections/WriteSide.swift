internal import System

/// What a connection has for its peer that the socket did not take yet.
public struct WriteSide {
    /// What there is to know of a connection whose socket has once not taken everything, or has failed. Others do not carry its memory.
    private final class Held {
        var queue = OutputQueue()
        /// Since when the socket has taken none of what is queued.
        var queuedSince = MonotonicInstant.never
        /// How many bytes were queued so far, and how many of these the socket will never take.
        var queuedEver: UInt64 = 0
        var lost = 0
        /// What the peer had acknowledged when it seemed to take nothing.
        var acknowledged: UInt64 = 0
        /// What went wrong while writing: reading will report it, after what the peer had sent before.
        var failure: ConnectionFailure?

        func loseQueue() {
            self.lost += self.queue.count
            self.queue.removeAll()
        }
    }

    private var held: Held?
    /// Some bytes wait for the end of the turn. Then the queue is empty.
    var isStaged = false

    /// How many bytes wait, and what they take of memory: `OutputQueue.ownMemory` and what is shared.
    var queuedCount: Int { self.held?.queue.count ?? 0 }
    var ownMemory: Int { self.held?.queue.ownMemory ?? 0 }
    var sharedCount: Int { self.held?.queue.sharedCount ?? 0 }
    /// Since when the socket has taken none of what is queued; `nil`: nothing is.
    var queuedSince: MonotonicInstant? { self.held.flatMap { $0.queue.isEmpty ? nil : $0.queuedSince } }
    /// Why writing failed; `nil`: it did not.
    var failure: ConnectionFailure? { self.held?.failure }

    /// How many bytes were queued so far.
    public var queuedEver: UInt64 { self.held?.queuedEver ?? 0 }
    /// How many bytes the socket has not taken.
    public var untaken: Int { self.held.map { $0.queue.count + $0.lost } ?? 0 }
    /// How many of the bytes that were queued the socket has taken.
    public var takenEver: UInt64 { self.queuedEver - UInt64(self.untaken) }

    /// Adds what the socket did not take of `bytes`, from `start` on.
    mutating func append(_ bytes: Span<UInt8>, from start: Int, at now: MonotonicInstant) {
        self.hold(bytes.count - start, at: now)?.queue.append(bytes.extracting(start..<bytes.count))
    }

    /// The same, sharing the bytes with other queues.
    mutating func append(sharing bytes: SharedBytes, from start: Int, at now: MonotonicInstant) {
        guard let held = self.hold(bytes.bytes.count - start, at: now) else { return }
        if held.queue.append(sharing: bytes, from: start) { bytes.keep() }
    }

    /// Where that many bytes are to be queued; `nil` if they are lost instead.
    private mutating func hold(_ count: Int, at now: MonotonicInstant) -> Held? {
        let held = self.makeHeld()
        held.queuedEver += UInt64(count)
        guard held.failure == nil else {
            held.lost += count
            return nil
        }
        if held.queue.isEmpty { held.queuedSince = now }
        return held
    }

    private mutating func makeHeld() -> Held {
        if let held = self.held { return held }
        let held = Held()
        self.held = held
        return held
    }

    /// Lends the queue to be sent, until `putBack`.
    mutating func takeQueue() -> OutputQueue {
        guard let held = self.held else { return OutputQueue() }
        let queue = held.queue
        held.queue = OutputQueue()
        return queue
    }

    /// What is left of the queue, that had `count` bytes. Nothing was queued meanwhile: sending calls no owner.
    mutating func putBack(_ queue: OutputQueue, of count: Int, at now: MonotonicInstant) {
        guard let held = self.held else { return }
        held.queue = queue
        if queue.count < count { held.queuedSince = now }
        if held.failure != nil { held.loseQueue() }
    }

    /// The socket took nothing for a while, but its peer may have taken some of what the kernel has: then that counts.
    ///
    /// - Parameter acknowledged: how many bytes the peer has acknowledged in all.
    /// - Returns: whether it has taken any since the last time.
    mutating func hasProgressed(_ acknowledged: UInt64, at now: MonotonicInstant) -> Bool {
        guard let held = self.held, acknowledged != held.acknowledged else { return false }
        held.acknowledged = acknowledged
        held.queuedSince = now
        return true
    }

    /// Nothing can be sent any more.
    mutating func fail(_ failure: ConnectionFailure) {
        let held = self.makeHeld()
        held.failure = failure
        held.loseQueue()
    }

    /// Nothing will be sent any more.
    mutating func close() { self.held?.loseQueue() }
}
