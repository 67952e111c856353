public import System

/// The memory that sockets are read into: one set for all connections of a loop, so that an idle connection owns none.
///
/// Its content is valid until the next read of any connection.
public final class ConnectionBuffers {
    /// Bytes kept free before what was read: for the beginning of a frame from an earlier read, and for a frame header of ours.
    public static let headroom = 256
    /// The most that one read of a worker takes from a socket, in bytes. A message of 64 KiB fits into one read with its header and what
    /// TLS adds. Larger messages take a quarter less time than with 64 KiB; with 128 KiB they sometimes exceed the processor's cache.
    public static let readSize = 96 << 10
    /// The most bytes of records from earlier reads that libssl may hold back.
    private static let mostHeldBack = 32 << 10
    /// The most plaintext of one read of a worker, in bytes.
    public static let mostPerRead = ConnectionBuffers.readSize + ConnectionBuffers.mostHeldBack

    /// Ciphertext as it came from the socket.
    let ciphertext: ReadBuffer
    /// Plaintext, after the headroom.
    public let plaintext: ReadBuffer

    /// Inflated payload, after the headroom. Lazy, because many loops never inflate.
    public private(set) lazy var inflated = ReadBuffer(count: Self.headroom + Self.readSize)

    /// - Parameter readSize: the most that one read takes, in bytes.
    init(readSize: Int) {
        self.ciphertext = ReadBuffer(count: readSize)
        self.plaintext = ReadBuffer(count: Self.headroom + readSize + Self.mostHeldBack)
    }

    /// Copies `bytes` to just before `range`.
    ///
    /// - Parameter bytes: at most `headroom` of them.
    /// - Returns: the range of both.
    public func prepend(_ bytes: [UInt8], to range: Range<Int>) -> Range<Int> {
        let start = range.lowerBound - bytes.count
        self.plaintext.replace(at: start, with: bytes.span)
        return start..<range.upperBound
    }

    /// A copy of the plaintext at `range`, for what must outlive the next read.
    public func copy(_ range: Range<Int>) -> [UInt8] { self.plaintext.copy(range) }

    /// Copies `bytes` to where a read would have put them.
    ///
    /// - Parameter bytes: at most as many as one read returns.
    /// - Returns: their positions.
    public func place(_ bytes: Span<UInt8>) -> Range<Int> {
        self.plaintext.replace(at: Self.headroom, with: bytes)
        return Self.headroom..<(Self.headroom + bytes.count)
    }
}
