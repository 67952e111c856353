/// Reads the body of an answer up to a limit, and keeps it in `body`.
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
        case invalid(MessageBody.Failure)
    }

    /// The body so far, without chunk headers.
    public private(set) var body: [UInt8] = []

    private let limit: Int
    private var reader: MessageBody
    private var progress = Progress.incomplete

    /// A reader for the body after `head`, which answers a GET.
    ///
    /// If the head frames its body in two ways, or in an unknown one, every call returns `.invalid`.
    ///
    /// - Parameter limit: the most bytes that are kept.
    public init(head: ResponseHead, limit: Int = 64 << 10) {
        self.limit = limit
        do throws(MessageBody.Failure) {
            self.reader = try MessageBody(ofResponse: head, to: "GET")
        } catch {
            self.reader = MessageBody(.none)
            self.progress = .invalid(error)
        }
    }

    /// Takes the next bytes. Those after the end of the body are ignored.
    public mutating func received(_ bytes: Span<UInt8>) -> Progress {
        var index = 0
        while self.progress == .incomplete {
            let step = self.reader.next(in: bytes, from: &index)
            if case .data(let range) = step { self.keep(bytes.extracting(range)) }
            guard self.take(step) else { break }
        }
        return self.progress
    }

    /// Takes the end of the connection. It ends a body without a length, and is an error for any other.
    public mutating func receivedEOF() -> Progress {
        if self.progress == .incomplete { _ = self.take(self.reader.receivedEOF()) }
        return self.progress
    }

    /// - Returns: whether there may be another step.
    private mutating func take(_ step: MessageBody.Step) -> Bool {
        switch step {
        case .needsMore: return false
        case .chunkBegins, .data, .chunkEnds: return true
        case .end: self.progress = .complete
        case .invalid(let failure): self.progress = .invalid(failure)
        }
        return false
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        let room = self.limit - self.body.count
        self.body.append(contentsOf: bytes.extracting(first: min(room, bytes.count)))
        if bytes.count > room { self.progress = .complete }
    }
}
