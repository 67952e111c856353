/// Compresses the messages of one direction (RFC 7692 section 7.2.1).
public final class Deflater {
    /// In bytes. Compressing a shorter message saves nothing: it fits the same packet either way.
    public static let leastWorthwhile = 64

    private let stream: DeflateStream
    /// Whether a message may refer to those before it.
    public let keepsContext: Bool

    /// - Parameter level: 1 (fast) to 9 (small). For large messages 4 takes two thirds of the time of zlib's default, 6, and
    ///   gives one percent more bytes.
    public init(_ direction: DeflateParameters.Direction, level: Int = 4) {
        self.stream = DeflateStream(
            windowBits: direction.compressorBits, memoryLevel: direction.memoryLevel, level: level)
        self.keepsContext = direction.keepsContext
    }

    /// Appends the compressed payload of a message, or of a piece of one, without the tail (RFC 7692 section 7.2.1). With
    /// context it must be sent: later messages refer to it.
    ///
    /// - Parameter isFinal: the message ends with this payload. If not, more of it follows; each piece is whole bytes and can
    ///   be sent at once. Without context no piece refers to another.
    public func append(_ payload: Span<UInt8>, to output: inout [UInt8], isFinal: Bool = true) {
        // zlib does not flush twice in a row. An empty message is an empty block (RFC 7692 section 7.2.3.6).
        guard !payload.isEmpty else { return output.append(0x00) }
        self.stream.append(payload, to: &output)
        if isFinal { output.removeLast(4) }
        if !self.keepsContext { self.stream.reset() }
    }
}
