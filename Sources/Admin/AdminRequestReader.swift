internal import HTTP1
internal import System

/// Reads one request as its bytes arrive: the head, and a body whose length the head says. Without I/O.
public struct AdminRequestReader: Sendable {
    public enum Progress: Equatable, Sendable {
        case incomplete
        case request(AdminRequest)
        /// The answer that says what is wrong; the connection is of no more use.
        case refused(AdminResponse)
    }

    /// The most bytes of a body.
    public static let longestBody = 64 << 10

    private var parser = RequestHeadParser(takesHTTP10: true)
    private var bytes: [UInt8] = []
    /// Once the head is whole: it, and where its body begins and ends.
    private var head: (head: RequestHead, body: Range<Int>)?

    public init() {}

    /// Takes the bytes that follow those of the last call. What comes after the request is ignored: the answer will say
    /// `Connection: close`.
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

    /// The client sent all it will.
    public func receivedEnd() -> AdminResponse { AdminResponse(400, "The request is not whole.") }

    /// RFC 9112 section 6.3, without transfer codings: nobody has to stream to us.
    private static func bodyLength(_ head: RequestHead) -> Result<Int, AdminResponse> {
        guard head.fields.first("Transfer-Encoding") == nil else {
            return .failure(AdminResponse(400, "A body has to come with Content-Length, not Transfer-Encoding."))
        }
        switch head.fields.only("Content-Length") {
        case .absent: return .success(0)
        case .repeated: return .failure(AdminResponse(400, "More than one Content-Length."))
        case .once(let text):
            // `Int` alone would take a sign.
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
