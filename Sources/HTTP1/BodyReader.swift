/// Reads the body of a response (RFC 9112 sections 6 and 7), up to a limit, and keeps it in `body`.
///
/// It is made for the body of a refusal, which is small, or not needed in full: at the limit it is cut, and complete.
public struct BodyReader: Sendable {
    /// How far the body has come.
    public enum Progress: Equatable, Sendable {
        /// More bytes are needed.
        case incomplete
        /// The end was reached, or the limit.
        case complete
        /// The framing is broken.
        case invalid(Failure)
    }

    /// What ends the body (RFC 9112 section 6.3).
    private enum Framing {
        /// So many bytes are still to come.
        case length(Int)
        case chunked(Chunks)
        case untilEOF
    }

    /// The body so far, without chunk headers.
    public private(set) var body: [UInt8] = []
    /// The body is longer than the limit. The rest was not kept.
    private(set) var isCut = false

    private let limit: Int
    private var framing: Framing
    private var progress = Progress.incomplete

    /// A reader for the body after `head`, which answers a GET.
    ///
    /// If the head frames its body in two ways, or in an unknown one, every call returns `.invalid`.
    ///
    /// - Parameter limit: the most bytes that are kept.
    public init(head: ResponseHead, limit: Int = 64 << 10) {
        self.limit = limit
        self.framing = .length(0)
        switch Self.framing(of: head) {
        case .success(let framing): self.framing = framing
        case .failure(let error): self.progress = .invalid(error)
        }
        if case .length(0) = self.framing, self.progress == .incomplete { self.progress = .complete }
    }

    /// Takes the next bytes. Those after the end of the body are ignored.
    public mutating func received(_ bytes: Span<UInt8>) -> Progress {
        guard self.progress == .incomplete else { return self.progress }
        switch self.framing {
        case .length(let missing):
            let count = min(missing, bytes.count)
            self.keep(bytes.extracting(first: count))
            self.framing = .length(missing - count)
            if missing == count { self.progress = .complete }
        case .untilEOF:
            self.keep(bytes)
        case .chunked(var chunks):
            self.progress = self.receivedChunked(bytes, &chunks)
            self.framing = .chunked(chunks)
        }
        if self.isCut, self.progress == .incomplete { self.progress = .complete }
        return self.progress
    }

    /// Takes the end of the connection. It ends a body without a length, and is an error for any other.
    public mutating func receivedEOF() -> Progress {
        guard self.progress == .incomplete else { return self.progress }
        if case .untilEOF = self.framing {
            self.progress = .complete
        } else {
            self.progress = .invalid(.endedEarly)
        }
        return self.progress
    }

    private mutating func receivedChunked(_ bytes: Span<UInt8>, _ chunks: inout Chunks) -> Progress {
        var index = 0
        while index < bytes.count, !self.isCut {
            switch chunks.take(bytes, at: index, most: 8 * self.limit) {
            case .skip: index += 1
            case .data(let count):
                self.keep(bytes.extracting(index..<index + count))
                index += count
            case .end: return .complete
            case .invalid(let error): return .invalid(error)
            }
        }
        return .incomplete
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        let room = self.limit - self.body.count
        if bytes.count > room { self.isCut = true }
        for index in 0..<min(room, bytes.count) { self.body.append(bytes[index]) }
    }

    private static func framing(of head: ResponseHead) -> Result<Framing, Failure> {
        let lengths = head.fields.values("Content-Length")
        let codings = head.fields.tokens("Transfer-Encoding")
        if head.fields.has("Transfer-Encoding") {
            guard lengths.isEmpty else { return .failure(.lengthAndCoding) }
            guard head.version == .http11 else { return .failure(.codingInHTTP10) }
            guard codings == ["chunked"] else { return .failure(.unknownCoding) }
        }
        let length: Int?
        switch Set(lengths).count {
        case 0: length = nil
        case 1:
            // `Int` would accept a sign.
            guard lengths[0].utf8.allSatisfy(\.isDigit), let number = Int(lengths[0]) else {
                return .failure(.badLength)
            }
            length = number
        default: return .failure(.severalLengths)
        }
        if head.status < 200 || head.status == 204 || head.status == 304 { return .success(.length(0)) }
        if !codings.isEmpty { return .success(.chunked(Chunks())) }
        return .success(length.map { .length($0) } ?? .untilEOF)
    }
}

extension BodyReader {
    /// Why a body cannot be read.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The connection ended before the length or the last chunk (RFC 9112 section 8).
        case endedEarly
        /// A length and a coding, which two readers may rank differently (RFC 9112 section 6.3).
        case lengthAndCoding
        /// HTTP/1.0 has no codings (RFC 9112 section 6.1).
        case codingInHTTP10
        /// `chunked` alone is read (RFC 9112 section 7).
        case unknownCoding
        /// Something other than digits, or a number that does not fit `Int` (RFC 9110 section 8.6).
        case badLength
        /// Content-Length fields that differ (RFC 9112 section 6.3).
        case severalLengths
        /// No hexadecimal digit where a chunk begins (RFC 9112 section 7.1).
        case badChunkSize
        /// A size that no body here can have (RFC 9112 section 7.1).
        case chunkTooLarge
        /// A byte that an extension cannot have (RFC 9112 section 7.1.1).
        case badChunkExtension
        /// No CRLF after the size or the data of a chunk (RFC 9112 section 7.1).
        case chunkWithoutCRLF
        /// A byte that a trailer field cannot have (RFC 9112 section 7.1.2).
        case badTrailer
        /// A CR without LF at the end of the trailer (RFC 9112 section 7.1).
        case badEnd
        /// All that is not data has more than 8 times the bytes that the body may have.
        case tooMuchOverhead

        /// For the log: a few words, without a full stop.
        public var description: String {
            switch self {
            case .endedEarly: "the connection ended within the body"
            case .lengthAndCoding: "both Content-Length and Transfer-Encoding"
            case .codingInHTTP10: "Transfer-Encoding with HTTP/1.0"
            case .unknownCoding: "a Transfer-Encoding other than chunked"
            case .badLength: "a bad Content-Length"
            case .severalLengths: "more than one Content-Length"
            case .badChunkSize: "a bad chunk size"
            case .chunkTooLarge: "a chunk size that is too large"
            case .badChunkExtension: "a bad chunk extension"
            case .chunkWithoutCRLF: "a chunk without its CRLF"
            case .badTrailer: "a bad trailer"
            case .badEnd: "a bad end of chunks"
            case .tooMuchOverhead: "too much chunk overhead"
            }
        }
    }
}
