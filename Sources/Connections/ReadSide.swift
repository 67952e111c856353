public import System

/// What a connection knows of its peer's bytes. Readiness is edge-triggered: the kernel tells once, and this remembers.
public struct ReadSide {
    /// Whether the socket may have bytes, or an end, that was not read yet.
    private(set) var mayRead = true
    /// Since when the owner reads nothing, in nanoseconds; the largest number: it is read. It is asked for with
    /// every read, so it is plain.
    private var pausedAt = Int64.max
    /// How long that was before now, in milliseconds.
    private var pausedTime: UInt32 = 0
    /// libssl has plaintext that did not fit the buffer.
    var hasDecrypted = false
    /// The kernel said that the peer ended or the socket failed; then a short read does not mean "empty".
    private(set) var hasEnded = false
    /// The kernel said that the connection was reset. What came before it can still be read.
    private(set) var wasReset = false
    /// What the peer sent before the reset is of no use: the owner does not take it.
    var ignoresInput = false

    /// The owner reads nothing for now.
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

    /// The present, or when reading stopped.
    public func lastRead(at now: MonotonicInstant) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: min(now.nanoseconds, self.pausedAt))
    }

    /// How long in all nothing was read, and whether that is so now.
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

    /// The socket gave some bytes.
    ///
    /// - Parameter filled: as many as there was room for.
    mutating func gave(filled: Bool) {
        if !filled, !self.hasEnded { self.mayRead = false }
    }

    /// There is nothing to read until the kernel says so.
    mutating func ranDry() { self.mayRead = false }

    /// The connection is closed: there is nothing to read any more.
    mutating func close() {
        self.mayRead = false
        self.hasDecrypted = false
    }

    /// There may be something to read, whether the kernel said so or not.
    mutating func lookAgain() { self.mayRead = true }
}
