internal import System

/// The memory that sockets are read into: one set for all sessions of a worker, so that an idle session owns none.
///
/// What stands in it is good until the next read of any session on this worker.
final class WorkerBuffers {
    /// Room in front of what was read: for the beginning of a frame that came with an earlier read, and for a frame header
    /// of ours.
    static let headroom = 256
    /// The most that one read takes from a socket, in bytes. A message of 64 KiB comes in one read, with its header and what TLS adds to
    /// it; large ones take a quarter less time than with 64 KiB, and with 128 KiB they fall out of the processor's cache at times.
    static let readSize = 96 << 10

    /// The most plaintext that one read gives: libssl may have held back records (32 KiB at most) from earlier reads.
    static let mostPerRead = WorkerBuffers.readSize + (32 << 10)

    /// Ciphertext, straight from the socket.
    let ciphertext = ReadBuffer(count: WorkerBuffers.readSize)
    /// Plaintext, after the headroom.
    let plaintext = ReadBuffer(count: WorkerBuffers.headroom + WorkerBuffers.mostPerRead)

    /// What compressed payload inflates to, after the headroom. Made when it is first needed.
    private(set) lazy var inflated = ReadBuffer(count: WorkerBuffers.headroom + WorkerBuffers.readSize)

    /// Puts `bytes` in front of `range`.
    ///
    /// - Parameter bytes: at most `headroom` of them.
    /// - Returns: the range of both.
    func prepend(_ bytes: [UInt8], to range: Range<Int>) -> Range<Int> {
        let start = range.lowerBound - bytes.count
        self.plaintext.replace(at: start, with: bytes.span)
        return start..<range.upperBound
    }

    /// A copy of what must outlive the next read.
    func copy(_ range: Range<Int>) -> [UInt8] { self.plaintext.copy(range) }

    /// Puts `bytes` where a read would have put them.
    ///
    /// - Parameter bytes: at most `readSize` of them.
    func place(_ bytes: Span<UInt8>) -> Range<Int> {
        self.plaintext.replace(at: Self.headroom, with: bytes)
        return Self.headroom..<(Self.headroom + bytes.count)
    }
}
