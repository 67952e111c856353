internal import HTTP1

/// Reads the heads of a backend's answer to a plain request: any number of interim ones, then the final one, after which its body comes.
public struct PassedAnswer: Sendable {
    /// What the bytes so far amount to.
    public enum Step: Equatable, Sendable {
        /// All bytes are read, and the head goes on.
        case needsMore
        /// An interim answer (1xx), as it goes to the client. Another head follows.
        case interim([UInt8])
        /// The final answer. Bytes from the index on are its body's.
        case head(PassedHead)
        /// The client gets 502; the text is for the log.
        case bad(String)
    }

    private let method: String
    private let version: HTTPVersion
    private var parser = Self.parser
    /// What was received of the head being read.
    private var buffer: [UInt8] = []
    private var interimHeads = 0
    /// Whether any byte came from the backend.
    public private(set) var hasReceived = false

    private static var parser: ResponseHeadParser { ResponseHeadParser(limits: .passed) }
    /// Progress is told by some servers for as long as they work: one each second fits in any `timeouts.response`.
    private static let mostInterimHeads = 1000

    /// The answer to `request`.
    public init(to request: PlainRequest) {
        self.method = request.method
        self.version = request.version
    }

    /// Reads on in `bytes` from `index`, and moves `index` behind what was read. Do not call it after a final answer or a bad one.
    public mutating func next(in bytes: Span<UInt8>, from index: inout Int) -> Step {
        while index < bytes.count {
            self.hasReceived = true
            let before = self.buffer.count
            // One more than there may be, for the parser to see that there are too many.
            let end = min(bytes.count, index + HeadLimits.passedBytes + 1 - before)
            switch self.parse(bytes.extracting(index..<end)) {
            case .incomplete: index = end
            case .invalid(let error): return .bad("a malformed answer: \(error.detail)")
            case .head(let head, let length):
                index += length - before
                self.buffer = []
                self.parser = Self.parser
                if let step = self.step(head) { return step }
            }
        }
        return .needsMore
    }

    /// Parses what was received so far, with `bytes` behind it. A head that comes in one piece is read where it is.
    private mutating func parse(_ bytes: Span<UInt8>) -> HeadProgress<ResponseHead> {
        guard self.buffer.isEmpty else {
            self.buffer.append(contentsOf: bytes)
            let received = self.buffer
            return self.parser.parse(received.span)
        }
        let progress = self.parser.parse(bytes)
        if case .incomplete = progress { self.buffer.append(contentsOf: bytes) }
        return progress
    }

    /// - Returns: nil if the client is not told.
    private mutating func step(_ head: consuming ResponseHead) -> Step? {
        switch head.status {
        case 101: return .bad("a 101 to a plain request")
        case 100..<200:
            self.interimHeads += 1
            guard self.interimHeads <= Self.mostInterimHeads else { return .bad("too many interim answers") }
            // HTTP/1.0 knows none (RFC 9110 section 15.2).
            guard self.version == .http11 else { return nil }
            let fields = head.fields.passing(FieldFilter(answer: head.fields))
            return .interim(ResponseHead(status: head.status, reason: head.reason, fields: fields).bytes)
        default:
            let status = head.status
            do throws(MessageBody.Failure) {
                let body = try MessageBody(ofResponse: head, to: self.method)
                return .head(PassedHead(head, body, to: self.version))
            } catch {
                return .bad("a \(status) with \(error)")
            }
        }
    }
}
