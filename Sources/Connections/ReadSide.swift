public import System

/// What a connection knows of the bytes from its peer. Readiness is edge-triggered: the kernel reports it once, and this remembers it.
public struct ReadSide {
    /// Whether the socket may have bytes or an end that was not read yet.
    private(set) var mayRead = true
    /// Since when the owner does not read, in nanoseconds; `.max` if it reads. A plain number, because every read needs it.
    private var pausedAt = Int64.max
    /// The sum of earlier pauses, in milliseconds.
    private var pausedTime: UInt32 = 0
    /// libssl has plaintext that did not fit the buffer.
    var hasDecrypted = false
    /// The kernel said that the peer ended or the socket failed; then a short read does not mean "empty".
    private(set) var hasEnded = false
    /// The kernel said that the connection was reset. What came before that can still be read.
    private(set) var wasReset = false
    /// The owner does not want what the peer sent before the reset.
    var ignoresInput = false

    /// The owner has stopped reading for now.
    var isPaused: Bool { self.pausedAt != .max }

    mutating func pause(at now: MonotonicInstant) {
        if !self.isPaused { self.pausedAt = now.nanoseconds }
    }

    mutating func resume(at now: MonotonicInstant) {
        if self.isPaused {
            self.pausedTime = UInt32(clamping: Int64(self.pausedTime) + (now.nanoseconds - self.pausedAt) / 1_000_000)
        }
        self.pausedAt = .max
    }

    /// `now`, or when reading stopped.
    public func lastRead(at now: MonotonicInstant) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: min(now.nanoseconds, self.pausedAt))
    }

    /// How long reading was stopped in total, and whether it is stopped now.
    public func unread(at now: MonotonicInstant) -> (time: Duration, isNow: Bool) {
        let present = self.isPaused ? now.nanoseconds - self.pausedAt : 0
        return (.milliseconds(Int64(self.pausedTime)) + .nanoseconds(present), self.isPaused)
    }

    mutating func became(_ readiness: Readiness) {
        if readiness.isReadable { self.mayRead = true }
        if readiness.isEnded {
            self.mayRead = true
            self.hasEnded = true
        }
        if readiness.isFailed { self.wasReset = true }
    }

    /// A read returned bytes.
    ///
    /// - Parameter filled: whether they filled the buffer. A short read means that the socket is empty, unless the peer has ended.
    mutating func gave(filled: Bool) {
        if !filled, !self.hasEnded { self.mayRead = false }
    }

    /// Nothing can be read until the kernel says so.
    mutating func ranDry() { self.mayRead = false }

    /// The connection is closed: nothing can be read any more.
    mutating func close() {
        self.mayRead = false
        self.hasDecrypted = false
    }

    /// Something may be there to read, even if the kernel has not said so.
    mutating func lookAgain() { self.mayRead = true }
}
