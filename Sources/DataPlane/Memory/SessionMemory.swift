internal import Configuration
internal import System

/// What a session holds of the memory that is bounded, beside its legs' queues, and since when it makes no progress with it.
struct SessionMemory {
    /// Of a message, or a head, that is not whole, in bytes.
    var assembled = 0
    /// When something of that came last. Time for which the client was not read is added to it.
    private var progress = MonotonicInstant(nanoseconds: 0)
    /// What the message will still bring, as far as it was promised to the others, in bytes.
    var promised: UInt32 = 0
    /// Where it stands among its worker's sessions that hold something; negative: it is none.
    var place: Int32 = -1

    mutating func madeProgress(at now: MonotonicInstant) { self.progress = now }

    /// The client is read again. The pause does not count against it, nor as much time again: its TCP doubles the time after which it tries
    /// again (RFC 6298 section 5.5, RFC 9293 section 3.8.6.1).
    mutating func resumed(afterPause pause: Duration) { self.progress = self.progress + pause + pause }

    /// For how long nothing of the message came, though the client was read.
    ///
    /// - Parameter now: the present, or when reading stopped.
    func idle(at now: MonotonicInstant) -> Duration { self.assembled > 0 ? max(.zero, now - self.progress) : .zero }
}
