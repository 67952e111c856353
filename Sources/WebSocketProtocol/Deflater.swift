/// Deflates the messages of one direction (RFC 7692 section 7.2.1), each as a whole.
package final class Deflater {
    /// Shorter messages are not worth it: they fit the same packet either way.
    package static let leastWorthwhile = 64

    private let stream: DeflateStream
    package let keepsContext: Bool

    /// - Parameter level: 1 (fast) to 9 (small). 4 takes two thirds of the time of zlib's usual 6 where messages are large, for
    ///   one percent more bytes.
    package init(_ direction: DeflateParameters.Direction, level: Int = 4) {
        self.stream = DeflateStream(
            windowBits: direction.compressorBits, memoryLevel: direction.memoryLevel, level: level)
        self.keepsContext = direction.keepsContext
    }

    /// Appends a message's compressed payload, without its tail. What keeps context has to be sent then.
    ///
    /// - Parameter isFinal: the message ends with this payload; else more of it follows, and what was appended so far is whole bytes that
    ///   can be sent. What keeps no context does not refer from one piece to another.
    package func append(_ payload: Span<UInt8>, to output: inout [UInt8], isFinal: Bool = true) {
        // zlib flushes once and not twice in a row; an empty block is all there is to say (RFC 7692 section 7.2.3.6).
        guard !payload.isEmpty else { return output.append(0x00) }
        self.stream.append(payload, to: &output)
        if isFinal { output.removeLast(4) }
        if !self.keepsContext { self.stream.reset() }
    }
}
