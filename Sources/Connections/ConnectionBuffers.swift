public import System

/// The memory that sockets are read into: one set for all connections of a loop, so that an idle one owns none.
///
/// What stands in it is good until the next read of any of them.
public final class ConnectionBuffers {
    /// Room in front of what was read: for the beginning of a frame that came with an earlier read, and for a frame header
    /// of ours.
    public static let headroom = 256
    /// The most that one read of a worker takes from a socket, in bytes. A message of 64 KiB comes in one read, with its header and what
    /// TLS adds to it; large ones take a quarter less time than with 64 KiB, and with 128 KiB they fall out of the processor's cache at
    /// times.
    public static let readSize = 96 << 10
    /// libssl may have held back records from earlier reads, up to that many bytes.
    private static let mostHeldBack = 32 << 10
    /// The most plaintext that one read of a worker gives.
    public static let mostPerRead = ConnectionBuffers.readSize + ConnectionBuffers.mostHeldBack

    /// Ciphertext, straight from the socket.
    let ciphertext: ReadBuffer
    /// Plaintext, after the headroom.
    public let plaintext: ReadBuffer

    /// What compressed payload inflates to, after the headroom. Made when it is first needed.
    public private(set) lazy var inflated = ReadBuffer(count: Self.headroom + Self.readSize)

    /// - Parameter readSize: the most that one read takes, in bytes.
    init(readSize: Int) {
        self.ciphertext = ReadBuffer(count: readSize)
        self.plaintext = ReadBuffer(count: Self.headroom + readSize + Self.mostHeldBack)
    }

    /// Puts `bytes` in front of `range`.
    ///
    /// - Parameter bytes: at most `headroom` of them.
    /// - Returns: the range of both.
    public func prepend(_ bytes: [UInt8], to range: Range<Int>) -> Range<Int> {
        let start = range.lowerBound - bytes.count
        self.plaintext.replace(at: start, with: bytes.span)
        return start..<range.upperBound
    }

    /// A copy of what must outlive the next read.
    public func copy(_ range: Range<Int>) -> [UInt8] { self.plaintext.copy(range) }

    /// Puts `bytes` where a read would have put them.
    ///
    /// - Parameter bytes: at most as many as one read gives.
    public func place(_ bytes: Span<UInt8>) -> Range<Int> {
        self.plaintext.replace(at: Self.headroom, with: bytes)
        return Self.headroom..<(Self.headroom + bytes.count)
    }
}
