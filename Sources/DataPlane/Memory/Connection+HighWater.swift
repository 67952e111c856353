internal import Connections
internal import System

/// When the side that sends to a connection is held back, when it goes on, and when there is no use in waiting.
extension Connection {
    /// Stop reading the other side here: one more read plus a staged send must still fit. While memory is scarce, only one read is queued.
    ///
    /// - Parameter limit: `limits.queue`, in bytes.
    func isAboveHighWater(of limit: Int, _ bound: MemoryBound) -> Bool {
        let queued = self.queuedBytes
        guard queued > 0 else { return false }
        return bound.isScarce || queued > max(0, limit - ConnectionBuffers.mostPerRead - SendBatch.mostBytes)
    }

    /// While this is true, the other side stays held back.
    func isAboveLowWater(of limit: Int, _ bound: MemoryBound) -> Bool {
        let queued = self.queuedBytes
        guard queued > 0 else { return false }
        return bound.isScarce || queued > max(0, limit - ConnectionBuffers.mostPerRead) / 2
    }

    /// Whether the peer has accepted none of the queued bytes for so long.
    func hasTakenNothing(for time: Duration, at now: MonotonicInstant) -> Bool {
        guard let since = self.queuedSince else { return false }
        return now - since >= time && !self.hasProgressed()
    }
}
