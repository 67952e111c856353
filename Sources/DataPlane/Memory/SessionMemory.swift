internal import Configuration
internal import System

/// The bounded memory of a session, apart from its legs' queues, and since when it makes no progress.
struct SessionMemory {
    /// Bytes of a message or a request head that is not whole yet.
    var assembled = 0
    /// When bytes of that last came. Time in which the client was not read is added.
    private var progress = MonotonicInstant(nanoseconds: 0)
    /// The bytes that were promised for the rest of the message (`MemoryBound.promised`).
    var promised: UInt32 = 0
    /// Bytes of the client's messages that wait for the rates of the route.
    var waiting: UInt32 = 0
    /// The index among the worker's sessions that hold memory; negative if it holds none.
    var place: Int32 = -1

    mutating func madeProgress(at now: MonotonicInstant) { self.progress = now }

    /// The client is read again. Twice the pause does not count: during it, the client's TCP doubled its retransmission time (RFC 6298
    /// section 5.5, RFC 9293 section 3.8.6.1).
    mutating func resumed(afterPause pause: Duration) { self.progress = self.progress + pause + pause }

    /// For how long nothing of the message came although the client was read.
    ///
    /// - Parameter now: the present, or when reading stopped.
    func idle(at now: MonotonicInstant) -> Duration { self.assembled > 0 ? max(.zero, now - self.progress) : .zero }
}
