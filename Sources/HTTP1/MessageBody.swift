/// Reads the body of a message (RFC 9112 sections 6 and 7) as its bytes arrive, and says where its data is. It holds none of it.
///
/// It is stricter than the RFC where two readers may disagree: a message that frames its body in two ways is refused.
public struct MessageBody: Equatable, Sendable {
    /// What ends a body (RFC 9112 section 6.3).
    public enum Framing: Equatable, Sendable {
        /// There is no body, and the message need not say so.
        case none
        /// `Content-Length`, in bytes.
        case length(Int)
        /// `Transfer-Encoding: chunked`.
        case chunked
        /// The end of the connection. Only an answer can have it.
        case untilEnd

        /// There is something to read after the head.
        public var hasBytes: Bool { self != .none && self != .length(0) }
    }

    /// What comes next.
    public enum Step: Equatable, Sendable {
        /// A chunk of so many bytes begins.
        case chunkBegins(Int)
        /// Data, at these indices. It is never empty.
        case data(Range<Int>)
        /// The chunk is whole, with the CRLF after its data.
        case chunkEnds
        /// All bytes are read, and the body goes on.
        case needsMore
        /// The body is whole. Bytes from the index on are not part of it.
        case end(trailers: HTTPFields)
        /// It cannot become a body, whatever comes.
        case invalid(Failure)
    }

    private enum State: Equatable {
        /// So many bytes are still to come.
        case length(Int)
        case chunks(Chunks)
        case untilEnd
        case over(Step)
    }

    /// What ends this body.
    public let framing: Framing
    private var state: State

    /// A body that is framed so.
    public init(_ framing: Framing) {
        self.framing = framing
        self.state =
            switch framing {
            case .none: .over(.end(trailers: HTTPFields()))
            case .length(let length): .length(length)
            case .chunked: .chunks(Chunks())
            case .untilEnd: .untilEnd
            }
    }

    /// The body after a request's head. Without a length and a coding there is none.
    public init(ofRequest head: borrowing RequestHead) throws(Failure) {
        // An answer may repeat its length, because proxies have done that. Of a request we demand more.
        guard head.fields.only("Content-Length") != .repeated else { throw .severalLengths }
        self.init(try Self.framing(of: head.fields, head.version) ?? .none)
    }

    /// The body after the head of an answer to a request with this method.
    public init(ofResponse head: borrowing ResponseHead, to method: String) throws(Failure) {
        let framing = try Self.framing(of: head.fields, head.version)
        let hasNone = method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304
        self.init(hasNone ? .none : framing ?? .untilEnd)
    }

    /// Reads on from `index` to what comes next, and moves `index` behind it.
    ///
    /// `bytes` up to `index` were read by earlier calls. After the end or a failure it returns that again.
    public mutating func next(in bytes: Span<UInt8>, from index: inout Int) -> Step {
        switch self.state {
        case .over(let step): return step
        case .length(0): return self.end(.end(trailers: HTTPFields()))
        case .length(let missing):
            guard index < bytes.count else { return .needsMore }
            let range = index..<index + min(missing, bytes.count - index)
            index = range.upperBound
            self.state = .length(missing - range.count)
            return .data(range)
        case .untilEnd:
            guard index < bytes.count else { return .needsMore }
            defer { index = bytes.count }
            return .data(index..<bytes.count)
        case .chunks(var chunks):
            let step = chunks.next(in: bytes, from: &index)
            switch step {
            case .end, .invalid: return self.end(step)
            case .chunkBegins, .data, .chunkEnds, .needsMore: break
            }
            self.state = .chunks(chunks)
            return step
        }
    }

    /// The connection ended in order, and all bytes are read. That ends a body without a length, and is a failure of any other.
    public mutating func receivedEOF() -> Step {
        switch self.state {
        case .over(let step): step
        case .untilEnd, .length(0): self.end(.end(trailers: HTTPFields()))
        case .length, .chunks: self.end(.invalid(.endedEarly))
        }
    }

    private mutating func end(_ step: Step) -> Step {
        self.state = .over(step)
        return step
    }

    // MARK: - Framing

    /// What the fields say, if they say anything (RFC 9112 section 6).
    private static func framing(of fields: HTTPFields, _ version: HTTPVersion) throws(Failure) -> Framing? {
        guard !fields.has("Transfer-Encoding") else {
            guard !fields.has("Content-Length") else { throw .lengthAndCoding }
            guard version == .http11 else { throw .codingInHTTP10 }
            try self.checkCoding(fields)
            return .chunked
        }
        if let length = fields.only("Content-Length", read: { self.number($0) }) {
            guard let length else { throw .badLength }
            return .length(length)
        }
        guard fields.has("Content-Length") else { return nil }
        let lengths = fields.values("Content-Length")
        guard Set(lengths).count == 1 else { throw .severalLengths }
        guard let length = self.number(lengths[0].utf8.span) else { throw .badLength }
        return .length(length)
    }

    /// Digits alone, as a number; `nil` for anything else.
    private static func number(_ digits: Span<UInt8>) -> Int? {
        // `Int` would accept a sign.
        guard !digits.isEmpty else { return nil }
        var number = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = tens.addingReportingOverflow(Int(digits[index] - UInt8(ascii: "0")))
            guard !isTooLarge, !isOver else { return nil }
            number = sum
        }
        return number
    }

    /// There has to be one field, and `chunked` alone in it: other readers of `,chunked` may see no coding.
    private static func checkCoding(_ fields: HTTPFields) throws(Failure) {
        let isOther = fields.hasElement("Transfer-Encoding") { !$0.equalsIgnoringCase("chunked".utf8.span) }
        guard !isOther else { throw .unknownCoding }
        guard case .once(let coding) = fields.only("Transfer-Encoding"), coding.equalsIgnoringCase("chunked") else {
            throw .badCoding
        }
    }
}
