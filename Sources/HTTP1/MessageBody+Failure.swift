extension MessageBody {
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
        /// `chunked` more than once, or in a list with empty elements (RFC 9112 section 6.1).
        case badCoding
        /// Something other than digits, or a number that does not fit `Int` (RFC 9110 section 8.6).
        case badLength
        /// Content-Length fields that differ; in a request, more than one (RFC 9112 section 6.3).
        case severalLengths
        /// No hexadecimal digit where a chunk begins, or something else after the digits (RFC 9112 section 7.1).
        case badChunkSize
        /// A size that does not fit `Int` (RFC 9112 section 7.1).
        case chunkTooLarge
        /// A byte that an extension cannot have there (RFC 9112 section 7.1.1).
        case badChunkExtension
        /// The line of a size, with its extensions, has more than 256 bytes.
        case longChunkLine
        /// No CRLF after the size or the data of a chunk (RFC 9112 section 7.1).
        case chunkWithoutCRLF
        /// A trailer that is no field section (RFC 9112 section 7.1.2).
        case badTrailer
        /// A trailer with more bytes or fields than a request's head may have by default.
        case trailerTooLarge
        /// The lines of sizes are long and the chunks short, which is work for nothing.
        case tooMuchOverhead

        /// For the log: a few words, without a full stop.
        public var description: String {
            switch self {
            case .endedEarly: "the connection ended within the body"
            case .lengthAndCoding: "both Content-Length and Transfer-Encoding"
            case .codingInHTTP10: "Transfer-Encoding with HTTP/1.0"
            case .unknownCoding: "a Transfer-Encoding other than chunked"
            case .badCoding: "a bad Transfer-Encoding"
            case .badLength: "a bad Content-Length"
            case .severalLengths: "more than one Content-Length"
            case .badChunkSize: "a bad chunk size"
            case .chunkTooLarge: "a chunk size that is too large"
            case .badChunkExtension: "a bad chunk extension"
            case .longChunkLine: "a chunk size line that is too long"
            case .chunkWithoutCRLF: "a chunk without its CRLF"
            case .badTrailer: "a bad trailer"
            case .trailerTooLarge: "a trailer that is too large"
            case .tooMuchOverhead: "too much chunk overhead"
            }
        }
    }
}
