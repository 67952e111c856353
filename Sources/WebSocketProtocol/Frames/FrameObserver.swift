/// Reads the frames of one direction for an onlooker, part by part, from the bytes as they come. It has no part in the protocol: it only
/// follows the headers, refuses nothing but what is no header, and keeps no payload.
public struct FrameObserver: Sendable {
    /// The part of a frame that is in the bytes. An empty frame has one part.
    public struct Part: Hashable, Sendable {
        /// That of the whole frame.
        public let header: FrameHeader
        /// Where the payload is, still masked. Empty if only the header was here.
        public let range: Range<Int>
        /// The key for this part: its first byte belongs to the byte at `range.lowerBound`.
        public let maskingKey: MaskingKey?
        /// The first part of the frame.
        public let isFirst: Bool
        /// The last part of the frame.
        public let isLast: Bool
    }

    private enum State {
        /// So many bytes are the rest of a frame of which the header was not seen.
        case skipping(Int)
        /// A header begins, or goes on behind these bytes.
        case header([UInt8])
        case payload(FrameHeader, passed: Int)
        /// What came is no header: what follows cannot be read.
        case broken
    }

    private var state: State

    /// - Parameter skipping: how many bytes of a frame in progress come first.
    public init(skipping: Int = 0) { self.state = skipping > 0 ? .skipping(skipping) : .header([]) }

    /// Reads the next part at `position` and moves it on; `nil` if there is none in the rest of the bytes.
    public mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Part? {
        while position < bytes.count {
            switch self.state {
            case .skipping(let left):
                let count = min(left, bytes.count - position)
                position += count
                self.state = count < left ? .skipping(left - count) : .header([])
            case .header(let begun):
                guard let header = self.readHeader(begun, bytes, at: &position) else { return nil }
                return self.takePart(of: header, passed: nil, bytes, at: &position)
            case .payload(let header, let passed):
                return self.takePart(of: header, passed: passed, bytes, at: &position)
            case .broken:
                position = bytes.count
            }
        }
        return nil
    }

    /// - Parameter begun: the header's bytes that came earlier, too few to be one.
    private mutating func readHeader(
        _ begun: [UInt8], _ bytes: Span<UInt8>, at position: inout Int
    ) -> FrameHeader? {
        var start = begun
        let most = min(FrameHeader.maximumLength - begun.count, bytes.count - position)
        for index in position..<(position + most) { start.append(bytes[index]) }
        switch FrameHeader.parse(start.span, at: 0) {
        case .header(let header, let length):
            position += length - begun.count
            return header
        case .incomplete:
            position = bytes.count
            self.state = .header(start)
        case .invalid:
            position = bytes.count
            self.state = .broken
        }
        return nil
    }

    /// - Parameter passed: how many bytes of the payload had their part; `nil`: the frame had none.
    private mutating func takePart(
        of header: FrameHeader, passed: Int?, _ bytes: Span<UInt8>, at position: inout Int
    ) -> Part {
        let before = passed ?? 0
        let start = position
        position += min(header.payloadLength - before, bytes.count - start)
        let now = before + position - start
        let isLast = now == header.payloadLength
        self.state = isLast ? .header([]) : .payload(header, passed: now)
        return Part(
            header: header, range: start..<position, maskingKey: header.maskingKey?.rotated(by: before),
            isFirst: passed == nil, isLast: isLast)
    }
}
