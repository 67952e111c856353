public import HTTP1

/// Passes the body of a plain request, or of its answer, on to the other side, framed for that side. It holds none of it.
///
/// Chunks keep their sizes and lose their extensions. The CRLF that makes a chunk whole goes on only once the one that came was read, so
/// that a bad chunk never looks like a whole one, nor a body that broke off like one that ended.
public struct BodyPassage: Equatable, Sendable {
    /// How far the body has come.
    public enum Progress: Equatable, Sendable {
        /// All bytes are passed on, and the body goes on.
        case more
        /// The whole body is passed on, with its end. Bytes from the index on are not part of it.
        case done
        /// The body is broken. Nothing ends it: the connection it went to has to be aborted.
        case invalid(MessageBody.Failure)
        /// The body has more bytes than it may have. As with `invalid`, nothing ends it.
        case tooLarge
    }

    /// What is read besides data: it costs more than its size.
    public struct Framing: Equatable, Sendable {
        /// How many began.
        public var chunks: Int
        /// The lines of sizes with their extensions, line ends, and the trailer.
        public var bytes: Int
    }

    /// Where the body comes from. That decides which trailer fields pass.
    enum Sender: Equatable, Sendable {
        case client(isTrustedProxy: Bool)
        case backend
    }

    /// What ends the body on its way out.
    public let framing: MessageBody.Framing
    private var body: MessageBody
    private let sender: Sender
    /// The `Connection` fields of the head, because they may name trailer fields, too. Only chunks have trailers.
    private var connection = HTTPFields()
    private let limit: Int
    /// How many bytes of data were passed on.
    public private(set) var passed = 0
    /// What was read besides data, and was not taken yet.
    private var framingRead = Framing(chunks: 0, bytes: 0)
    /// The size of a chunk that has begun, and of which nothing was passed on.
    private var chunk: Int?
    /// The last progress, once there is no more.
    private var outcome: Progress?

    /// - Parameters:
    ///   - fields: those of the head before the body.
    ///   - receiver: the version that the other side speaks.
    ///   - limit: the most bytes of data in a chunked body. The head says how many others have.
    init(
        _ body: MessageBody, after fields: HTTPFields, of sender: Sender, to receiver: HTTPVersion, limit: Int = .max
    ) {
        self.body = body
        self.sender = sender
        self.limit = limit
        if body.framing == .chunked {
            self.connection.append(fields) { $0.equalsIgnoringCase("Connection".utf8.span) }
        }
        self.framing = body.framing.passed(to: receiver)
    }

    /// Reads on in `bytes` from `index`, moves `index` behind what was read, and calls `send` with what has to be sent for it, in order.
    ///
    /// What goes on as it came is sent together: of chunks that came as we write them that is all. What is small goes together, too.
    public mutating func pass(
        _ bytes: Span<UInt8>, from index: inout Int, send: (Span<UInt8>) -> Void
    ) -> Progress {
        if let outcome = self.outcome { return outcome }
        var run = Run(from: index)
        var progress: Progress?
        let (start, before) = (index, self.passed)
        defer { self.framingRead.bytes += index - start - (self.passed - before) }
        while progress == nil {
            switch self.body.next(in: bytes, from: &index) {
            case .chunkBegins(let size):
                self.framingRead.chunks += 1
                if size > self.limit - self.passed { progress = self.end(.tooLarge) }
                self.chunk = size
            case .data(let range): self.pass(range, of: bytes, &run, send)
            case .chunkEnds: if self.framing == .chunked { run.add(Self.lineEnd, before: index, of: bytes, send) }
            case .needsMore: progress = .more
            case .end(let trailers):
                if self.framing == .chunked { run.add(self.lastChunk(trailers), before: index, of: bytes, send) }
                progress = self.end(.done)
            case .invalid(let failure): progress = self.end(.invalid(failure))
            }
        }
        run.flush(of: bytes, send)
        return progress ?? .more
    }

    /// What was read besides data since the last call.
    public mutating func takeFraming() -> Framing {
        defer { self.framingRead = Framing(chunks: 0, bytes: 0) }
        return self.framingRead
    }

    /// The sender ended its side in order, and all bytes are passed on. That ends a body without a length, and breaks any other.
    public mutating func receivedEOF(send: (Span<UInt8>) -> Void) -> Progress {
        if let outcome = self.outcome { return outcome }
        guard case .end(let trailers) = self.body.receivedEOF() else { return self.end(.invalid(.endedEarly)) }
        if self.framing == .chunked { send(self.lastChunk(trailers).span) }
        return self.end(.done)
    }

    // MARK: - Framing

    private static let lineEnd: [UInt8] = [.carriageReturn, .lineFeed]

    private mutating func pass(
        _ range: Range<Int>, of bytes: Span<UInt8>, _ run: inout Run, _ send: (Span<UInt8>) -> Void
    ) {
        self.passed += range.count
        guard self.framing == .chunked else { return run.add(range, of: bytes, send) }
        // A body without a length has no chunks: each piece becomes one.
        let isOwn = self.body.framing != .chunked
        if let size = isOwn ? range.count : self.chunk {
            let line = Array(String(size, radix: 16).utf8) + Self.lineEnd
            run.add(line, before: range.lowerBound, of: bytes, send)
            self.chunk = nil
        }
        run.add(range, of: bytes, send)
        if isOwn { run.add(Self.lineEnd, before: range.upperBound, of: bytes, send) }
    }

    private func lastChunk(_ trailers: HTTPFields) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "0")] + Self.lineEnd
        self.filtered(trailers).encode(into: &bytes)
        return bytes + Self.lineEnd
    }

    private mutating func end(_ outcome: Progress) -> Progress {
        self.outcome = outcome
        return outcome
    }

    /// The trailer fields that pass: those that would pass in the head.
    private func filtered(_ trailers: HTTPFields) -> HTTPFields {
        guard !trailers.isEmpty else { return trailers }
        var fields = self.connection
        fields.append(trailers)
        return switch self.sender {
        case .backend: fields.passing(FieldFilter(answer: fields))
        case .client(let isTrustedProxy):
            fields.passing(FieldFilter(request: fields, isFromTrustedProxy: isTrustedProxy))
        }
    }
}

/// What is to be sent together: small pieces, copied, and behind them a range of the bytes that came.
private struct Run {
    private var copied: [UInt8] = []
    private var range: Range<Int>

    /// A range of fewer bytes is copied, so that many small chunks that have to be written anew are one send.
    private static let mostCopied = 4 << 10

    /// None yet; the next ones may be at `start`.
    init(from start: Int) { self.range = start..<start }

    /// Adds bytes that go on as they came.
    mutating func add(_ added: Range<Int>, of bytes: Span<UInt8>, _ send: (Span<UInt8>) -> Void) {
        if added.lowerBound == self.range.upperBound {
            self.range = self.range.lowerBound..<added.upperBound
        } else {
            self.endRange(of: bytes, send)
            self.range = added
        }
    }

    /// Adds `text`, which stands for what came up to `end`.
    mutating func add(_ text: [UInt8], before end: Int, of bytes: Span<UInt8>, _ send: (Span<UInt8>) -> Void) {
        let start = end - text.count
        if start == self.range.upperBound, text.indices.allSatisfy({ bytes[start + $0] == text[$0] }) {
            self.range = self.range.lowerBound..<end
        } else {
            self.endRange(of: bytes, send)
            self.copied += text
            self.range = end..<end
        }
    }

    /// Sends all that was added.
    mutating func flush(of bytes: Span<UInt8>, _ send: (Span<UInt8>) -> Void) {
        if self.copied.isEmpty {
            if !self.range.isEmpty { send(bytes.extracting(self.range)) }
        } else {
            self.endRange(of: bytes, send)
            if !self.copied.isEmpty { send(self.copied.span) }
        }
    }

    /// Something that came elsewhere follows.
    private mutating func endRange(of bytes: Span<UInt8>, _ send: (Span<UInt8>) -> Void) {
        let piece = bytes.extracting(self.range)
        if piece.count <= Self.mostCopied {
            self.copied.append(contentsOf: piece)
        } else {
            if !self.copied.isEmpty { send(self.copied.span) }
            self.copied.removeAll(keepingCapacity: true)
            send(piece)
        }
        self.range = self.range.upperBound..<self.range.upperBound
    }
}

extension MessageBody.Framing {
    /// What ends a body that is framed so on its way to a peer of that version. HTTP/1.0 has no chunks.
    func passed(to receiver: HTTPVersion) -> MessageBody.Framing {
        switch self {
        case .none, .length: self
        case .chunked, .untilEnd: receiver == .http11 ? .chunked : .untilEnd
        }
    }
}
