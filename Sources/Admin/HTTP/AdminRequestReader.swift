internal import HTTP1
internal import System

/// Reads one request from bytes that come in any pieces: the head, and a body as long as Content-Length says. Without I/O.
public struct AdminRequestReader: Sendable {
    /// How far the request has come.
    public enum Progress: Equatable, Sendable {
        case incomplete
        case request(AdminRequest)
        /// The request is bad. Send this answer and close.
        case refused(AdminResponse)
    }

    /// The most bytes of a body.
    public static let longestBody = 64 << 10

    private var parser = RequestHeadParser(takesHTTP10: true)
    private var bytes: [UInt8] = []
    /// The head, once it is complete, and the range of the body in `bytes`.
    private var head: (head: RequestHead, body: Range<Int>)?

    /// Expects the first byte of a request.
    public init() {}

    /// Takes the bytes that follow those of the last call. What comes behind the request is ignored: the answer says `Connection: close`.
    public mutating func received(_ bytes: Span<UInt8>) -> Progress {
        self.bytes.append(bytes)
        if self.head == nil {
            let bytes = self.bytes
            switch self.parser.parse(bytes.span) {
            case .incomplete: return .incomplete
            case .invalid(let error):
                return .refused(
                    AdminResponse(error.kind == .tooLarge ? 431 : 400, "Malformed request: \(error.detail)."))
            case .head(let head, let length):
                switch Self.bodyLength(head) {
                case .failure(let response): return .refused(response)
                case .success(let count): self.head = (head, length..<(length + count))
                }
            }
        }
        guard let (head, body) = self.head, self.bytes.count >= body.upperBound else { return .incomplete }
        return .request(
            AdminRequest(
                method: head.method, target: head.target, version: head.version, fields: head.fields,
                body: Array(self.bytes[body])))
    }

    /// The answer if the client ends its side before the request is complete.
    public func receivedEnd() -> AdminResponse { AdminResponse(400, "The request is not whole.") }

    /// The length of the body (RFC 9112 section 6.3). Transfer codings are refused: a body here is short, and its length is known.
    private static func bodyLength(_ head: RequestHead) -> Result<Int, AdminResponse> {
        guard head.fields.first("Transfer-Encoding") == nil else {
            return .failure(AdminResponse(400, "A body has to come with Content-Length, not Transfer-Encoding."))
        }
        switch head.fields.only("Content-Length") {
        case .absent: return .success(0)
        case .repeated: return .failure(AdminResponse(400, "More than one Content-Length."))
        case .once(let text):
            // `Int` would accept a sign.
            guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else {
                return .failure(AdminResponse(400, "A bad Content-Length."))
            }
            guard let count = Int(text), count <= Self.longestBody else {
                return .failure(AdminResponse(413, "A body has at most \(Self.longestBody) bytes."))
            }
            return .success(count)
        }
    }
}
