internal import System

/// The bytes for a connection's peer that the socket did not accept yet.
public struct WriteSide {
    /// A class, so that its memory is only paid for where a socket once did not accept everything, or failed.
    private final class Held {
        var queue = OutputQueue()
        /// Since when the socket has accepted none of the queue.
        var queuedSince = MonotonicInstant.never
        /// How many bytes were ever queued; `lost` is how many of them the socket will never accept.
        var queuedEver: UInt64 = 0
        var lost = 0
        /// The peer's acknowledged bytes when progress was last checked.
        var acknowledged: UInt64 = 0
        /// Why writing failed. Reading reports it, after what the peer sent before.
        var failure: ConnectionFailure?

        func loseQueue() {
            self.lost += self.queue.count
            self.queue.removeAll()
        }
    }

    private var held: Held?
    /// Bytes are staged for the end of the turn. Then the queue is empty.
    var isStaged = false

    // The queue's figures: see `OutputQueue`.
    var queuedCount: Int { self.held?.queue.count ?? 0 }
    var ownMemory: Int { self.held?.queue.ownMemory ?? 0 }
    var sharedCount: Int { self.held?.queue.sharedCount ?? 0 }
    /// Since when the socket has accepted none of the queued bytes; `nil` if none are queued.
    var queuedSince: MonotonicInstant? { self.held.flatMap { $0.queue.isEmpty ? nil : $0.queuedSince } }
    /// Why writing failed; `nil` if it did not.
    var failure: ConnectionFailure? { self.held?.failure }

    /// How many bytes were ever queued.
    public var queuedEver: UInt64 { self.held?.queuedEver ?? 0 }
    /// How many bytes the socket has not accepted, those that it never will included.
    public var untaken: Int { self.held.map { $0.queue.count + $0.lost } ?? 0 }
    /// How many of the queued bytes the socket has accepted.
    public var takenEver: UInt64 { self.queuedEver - UInt64(self.untaken) }

    /// Adds what the socket did not accept: `bytes` from `start` on.
    mutating func append(_ bytes: Span<UInt8>, from start: Int, at now: MonotonicInstant) {
        self.hold(bytes.count - start, at: now)?.queue.append(bytes.extracting(start..<bytes.count))
    }

    /// The same, sharing the bytes with other queues.
    mutating func append(sharing bytes: SharedBytes, from start: Int, at now: MonotonicInstant) {
        guard let held = self.hold(bytes.bytes.count - start, at: now) else { return }
        if held.queue.append(sharing: bytes, from: start) { bytes.keep() }
    }

    /// Where to queue `count` bytes; `nil` if they will never be sent.
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

    /// Takes the queue out to send it, until `putBack`.
    mutating func takeQueue() -> OutputQueue {
        guard let held = self.held else { return OutputQueue() }
        let queue = held.queue
        held.queue = OutputQueue()
        return queue
    }

    /// Puts back what is left of the queue, which had `count` bytes. Nothing was queued meanwhile, because sending calls no owner.
    mutating func putBack(_ queue: OutputQueue, of count: Int, at now: MonotonicInstant) {
        guard let held = self.held else { return }
        held.queue = queue
        if queue.count < count { held.queuedSince = now }
        if held.failure != nil { held.loseQueue() }
    }

    /// The socket accepted nothing for a while, but the peer may have acknowledged some of what the kernel has. Then `queuedSince` starts
    /// anew.
    ///
    /// - Parameter acknowledged: how many bytes the peer has acknowledged so far.
    /// - Returns: whether it has acknowledged any since the last call.
    mutating func hasProgressed(_ acknowledged: UInt64, at now: MonotonicInstant) -> Bool {
        guard let held = self.held, acknowledged != held.acknowledged else { return false }
        held.acknowledged = acknowledged
        held.queuedSince = now
        return true
    }

    /// Writing has failed: the queue will never be sent.
    mutating func fail(_ failure: ConnectionFailure) {
        let held = self.makeHeld()
        held.failure = failure
        held.loseQueue()
    }

    /// The connection is closed: the queue will never be sent.
    mutating func close() { self.held?.loseQueue() }
}
