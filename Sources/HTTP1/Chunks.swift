/// Reads the chunked transfer coding (RFC 9112 section 7.1) and finds its data.
///
/// Chunk extensions and trailers are skipped, but counted: all that is not data has a bound.
struct Chunks: Sendable {
    private enum State {
        /// In the hexadecimal digits of a size.
        case size(digits: Int)
        case chunkExtension
        case sizeEnd
        case data
        case dataEnd
        case dataLineFeed
        case trailerStart
        case trailer
        case trailerLineFeed
        case lastLineFeed
    }

    /// What was found at the index.
    enum Step {
        /// One byte that is not data.
        case skip
        /// So many bytes of data.
        case data(count: Int)
        case end
        case invalid(BodyReader.Failure)
    }

    private var state = State.size(digits: 0)
    /// Bytes of this chunk still to come.
    private var missing = 0
    /// Bytes so far that were not data.
    private var overhead = 0

    /// Takes what begins at `index`.
    ///
    /// - Parameter most: the bound of all that is not data, in bytes.
    mutating func take(_ bytes: Span<UInt8>, at index: Int, most: Int) -> Step {
        if case .data = self.state {
            let count = min(self.missing, bytes.count - index)
            self.missing -= count
            if self.missing == 0 { self.state = .dataEnd }
            return .data(count: count)
        }
        self.overhead += 1
        guard self.overhead <= most else { return .invalid(.tooMuchOverhead) }
        let byte = bytes[index]
        switch self.state {
        case .size(let digits): return self.takeSize(byte, digits: digits)
        case .chunkExtension:
            if byte == .carriageReturn { return self.next(.sizeEnd) }
            return byte.isFieldContent ? .skip : .invalid(.badChunkExtension)
        case .sizeEnd:
            return self.expect(.lineFeed, byte, then: self.missing == 0 ? .trailerStart : .data)
        case .data: return .skip
        case .dataEnd: return self.expect(.carriageReturn, byte, then: .dataLineFeed)
        case .dataLineFeed: return self.expect(.lineFeed, byte, then: .size(digits: 0))
        case .trailerStart:
            if byte == .carriageReturn { return self.next(.lastLineFeed) }
            return byte.isToken ? self.next(.trailer) : .invalid(.badTrailer)
        case .trailer:
            if byte == .carriageReturn { return self.next(.trailerLineFeed) }
            return byte.isFieldContent ? .skip : .invalid(.badTrailer)
        case .trailerLineFeed: return self.expect(.lineFeed, byte, then: .trailerStart)
        case .lastLineFeed:
            return byte == .lineFeed ? .end : .invalid(.badEnd)
        }
    }

    private mutating func takeSize(_ byte: UInt8, digits: Int) -> Step {
        if let value = byte.hexadecimalValue {
            // Seven digits reach 256 MiB: far above any limit, and far below an overflow.
            guard digits < 7 else { return .invalid(.chunkTooLarge) }
            self.missing = self.missing << 4 | Int(value)
            return self.next(.size(digits: digits + 1))
        }
        guard digits > 0 else { return .invalid(.badChunkSize) }
        switch byte {
        case .carriageReturn: return self.next(.sizeEnd)
        case UInt8(ascii: ";"): return self.next(.chunkExtension)
        default: return .invalid(.badChunkSize)
        }
    }

    private mutating func expect(_ expected: UInt8, _ byte: UInt8, then state: State) -> Step {
        byte == expected ? self.next(state) : .invalid(.chunkWithoutCRLF)
    }

    private mutating func next(_ state: State) -> Step {
        self.state = state
        return .skip
    }
}
