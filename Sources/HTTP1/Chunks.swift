/// Reads the chunked transfer coding (RFC 9112 section 7.1): sizes, data and the trailer, with nothing that its grammar does not allow.
///
/// Extensions are checked and skipped. All that is not data has a bound.
struct Chunks: Equatable, Sendable {
    private enum State: Equatable {
        /// In the line of a size, of which so many bytes were read.
        case sizeLine(SizeLine, read: Int)
        case data
        case dataEnd
        case dataLineFeed
        case trailer(Trailer)
    }

    private var state = State.sizeLine(.start, read: 0)
    /// Bytes of this chunk still to come.
    private var missing = 0
    /// Bytes of size lines beyond what the data before them justifies.
    private var excess = 0

    /// The longest line of a size, without its CRLF.
    private static let longestSizeLine = 256
    /// Chunks with extensions that sign 64 KiB each have no excess, nor have those of one byte without extensions.
    private static let mostExcess = 16 << 10

    /// Reads on, as `MessageBody.next` does.
    mutating func next(in bytes: Span<UInt8>, from index: inout Int) -> MessageBody.Step {
        while index < bytes.count {
            switch self.state {
            case .sizeLine(let line, let read):
                index += 1
                if let step = self.takeSizeLine(bytes[index - 1], line, read: read) { return step }
            case .data:
                let end = index + min(self.missing, bytes.count - index)
                // A chunk that can be seen to be wrong is wrong before its data.
                guard self.missing > end - index || Self.mayEnd(bytes, at: end) else {
                    return .invalid(.chunkWithoutCRLF)
                }
                defer { index = end }
                self.missing -= end - index
                if self.missing == 0 { self.state = .dataEnd }
                return .data(index..<end)
            case .dataEnd:
                guard bytes[index] == .carriageReturn else { return .invalid(.chunkWithoutCRLF) }
                index += 1
                self.state = .dataLineFeed
            case .dataLineFeed:
                guard bytes[index] == .lineFeed else { return .invalid(.chunkWithoutCRLF) }
                index += 1
                self.state = .sizeLine(.start, read: 0)
                return .chunkEnds
            case .trailer(var trailer):
                let step = trailer.next(in: bytes, from: &index)
                self.state = .trailer(trailer)
                return step
            }
        }
        return .needsMore
    }

    /// Whether a chunk's data may end before `index`, as far as bytes after it have come.
    private static func mayEnd(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        (index >= bytes.count || bytes[index] == .carriageReturn)
            && (index + 1 >= bytes.count || bytes[index + 1] == .lineFeed)
    }

    /// - Returns: nil while the line goes on, and after that of the last chunk.
    private mutating func takeSizeLine(_ byte: UInt8, _ line: SizeLine, read: Int) -> MessageBody.Step? {
        if case .lineFeed = line {
            guard byte == .lineFeed else { return .invalid(.chunkWithoutCRLF) }
            return self.endSizeLine(read: read)
        }
        if byte != .carriageReturn, read == Self.longestSizeLine { return .invalid(.longChunkLine) }
        switch line.take(byte, &self.missing) {
        case .success(let line): self.state = .sizeLine(line, read: read + 1)
        case .failure(let failure): return .invalid(failure)
        }
        return nil
    }

    private mutating func endSizeLine(read: Int) -> MessageBody.Step? {
        self.excess = max(0, self.excess + read - 16 - 2 * min(self.missing, Self.mostExcess))
        guard self.excess <= Self.mostExcess else { return .invalid(.tooMuchOverhead) }
        guard self.missing > 0 else {
            self.state = .trailer(Trailer())
            return nil
        }
        self.state = .data
        return .chunkBegins(self.missing)
    }
}

/// The places in the line of a chunk's size: `chunk-size [ chunk-ext ]` (RFC 9112 section 7.1.1).
private enum SizeLine: Equatable, Sendable {
    /// Before the first digit.
    case start
    case digits
    /// Whitespace, before a semicolon.
    case beforeExtension
    /// After a semicolon.
    case beforeName
    case name
    /// Whitespace after a name, before `=` or a semicolon.
    case afterName
    /// After `=`.
    case beforeValue
    case value
    case quoted
    /// After a backslash.
    case quotedPair
    case afterQuoted
    /// After the CR.
    case lineFeed

    /// The place after `byte`. A digit goes into `size`.
    func take(_ byte: UInt8, _ size: inout Int) -> Result<SizeLine, MessageBody.Failure> {
        switch (self, byte) {
        case (.start, _), (.digits, _): return self.takeSize(byte, &size)
        case (.name, .carriageReturn), (.value, .carriageReturn), (.afterQuoted, .carriageReturn):
            return .success(.lineFeed)
        case (.beforeExtension, UInt8(ascii: ";")), (.name, UInt8(ascii: ";")), (.afterName, UInt8(ascii: ";")),
            (.value, UInt8(ascii: ";")), (.afterQuoted, UInt8(ascii: ";")):
            return .success(.beforeName)
        case (.name, UInt8(ascii: "=")), (.afterName, UInt8(ascii: "=")): return .success(.beforeValue)
        case (.beforeValue, UInt8(ascii: "\"")): return .success(.quoted)
        case (.quoted, UInt8(ascii: "\"")): return .success(.afterQuoted)
        case (.quoted, UInt8(ascii: "\\")): return .success(.quotedPair)
        case (.quoted, _), (.quotedPair, _):
            return byte.isFieldContent ? .success(.quoted) : .failure(.badChunkExtension)
        case (.beforeName, _) where byte.isToken, (.name, _) where byte.isToken: return .success(.name)
        case (.beforeValue, _) where byte.isToken, (.value, _) where byte.isToken: return .success(.value)
        case (.beforeExtension, _) where byte.isWhitespace, (.beforeName, _) where byte.isWhitespace,
            (.afterName, _) where byte.isWhitespace, (.beforeValue, _) where byte.isWhitespace:
            return .success(self)
        case (.name, _) where byte.isWhitespace: return .success(.afterName)
        case (.value, _) where byte.isWhitespace, (.afterQuoted, _) where byte.isWhitespace:
            return .success(.beforeExtension)
        default: return .failure(.badChunkExtension)
        }
    }

    private func takeSize(_ byte: UInt8, _ size: inout Int) -> Result<SizeLine, MessageBody.Failure> {
        if let value = byte.hexadecimalValue {
            guard size <= Int.max >> 4 else { return .failure(.chunkTooLarge) }
            size = size << 4 | Int(value)
            return .success(.digits)
        }
        guard self == .digits else { return .failure(.badChunkSize) }
        switch byte {
        case .carriageReturn: return .success(.lineFeed)
        case UInt8(ascii: ";"): return .success(.beforeName)
        case .space, .tab: return .success(.beforeExtension)
        default: return .failure(.badChunkSize)
        }
    }
}

/// The fields after the last chunk, and the empty line after them (RFC 9112 section 7.1.2).
private struct Trailer: Equatable, Sendable {
    /// All of it so far.
    private var bytes: [UInt8] = []
    private var read = 0
    private var section = FieldSection(limit: HeadLimits().fields)

    mutating func next(in bytes: Span<UInt8>, from index: inout Int) -> MessageBody.Step {
        let before = self.bytes.count
        let limit = HeadLimits().bytes
        self.bytes.append(contentsOf: bytes.extracting(index..<min(bytes.count, index + limit - before)))
        let received = self.bytes
        let step = self.section.take(received.span, from: &self.read, to: received.count)
        index += self.read - before
        switch step {
        case .done: return .end(trailers: self.section.takeFields())
        case .more: return self.bytes.count < limit ? .needsMore : .invalid(.trailerTooLarge)
        case .invalid(let error): return .invalid(error.kind == .tooLarge ? .trailerTooLarge : .badTrailer)
        }
    }
}
