/// Reads the head of a response (RFC 9112 sections 4 and 5) as its bytes arrive.
///
/// It is as strict as `RequestHeadParser`, with two exceptions for real servers: HTTP/1.0 is accepted, and the space before
/// an empty reason phrase may be missing.
public struct ResponseHeadParser: Sendable {
    private enum State {
        case version
        case status
        case afterStatus
        case reason
        case lineEnd
        case fields
    }

    private let limits: HeadLimits
    private var state = State.version
    /// How many bytes have been read.
    private var scanned = 0
    /// Where the part being read starts.
    private var partStart = 0
    private var version = HTTPVersion.http11
    private var status = 0
    private var reason = ""
    private var section: FieldSection
    private var error: HeadError?

    private static let versionPrefix = Array("HTTP/1.".utf8)

    /// A parser reads one head: interim ones (1xx) need a new parser each.
    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
        self.section = FieldSection(limit: limits.fields)
    }

    /// Reads on in `bytes`, which is everything received so far: the bytes of earlier calls, and more after them.
    ///
    /// Each byte is read once, however many calls there are. Do not call it after a head. After an error it returns that again.
    public mutating func parse(_ bytes: Span<UInt8>) -> HeadProgress<ResponseHead> {
        if let error = self.error { return .invalid(error) }
        let end = min(bytes.count, self.limits.bytes)
        while self.scanned < end {
            if case .fields = self.state {
                switch self.section.take(bytes, from: &self.scanned, to: end) {
                case .more: break
                case .invalid(let error): return self.fail(error)
                case .done:
                    let head = ResponseHead(
                        version: self.version, status: self.status, reason: self.reason,
                        fields: self.section.takeFields())
                    return .head(head, length: self.scanned)
                }
            } else if let error = self.takeStatusLine(bytes[self.scanned], in: bytes, to: end) {
                return self.fail(error)
            } else {
                self.scanned += 1
            }
        }
        guard bytes.count == end else { return self.fail(HeadError(.tooLarge, "more than \(end) bytes")) }
        return .incomplete
    }

    /// Takes one byte of `HTTP-version SP 3DIGIT [ SP reason-phrase ] CRLF`, or all those before `end` that say no more.
    private mutating func takeStatusLine(_ byte: UInt8, in bytes: Span<UInt8>, to end: Int) -> HeadError? {
        let offset = self.scanned - self.partStart
        switch self.state {
        case .version:
            let prefix = Self.versionPrefix
            var offset = offset
            while self.scanned + 1 < end, offset < prefix.count, bytes[self.scanned] == prefix[offset] {
                self.scanned += 1
                offset += 1
            }
            return self.takeVersion(bytes[self.scanned], at: offset)
        case .status:
            guard byte.isDigit, offset > 0 || byte != UInt8(ascii: "0") else {
                return HeadError.unexpected(byte, in: "the status")
            }
            self.status = self.status * 10 + Int(byte - UInt8(ascii: "0"))
            if offset == 2 { self.start(.afterStatus) }
            return nil
        case .afterStatus:
            switch byte {
            case .space: self.start(.reason)
            case .carriageReturn: self.start(.lineEnd)
            default: return HeadError.unexpected(byte, in: "the status")
            }
            return nil
        case .reason:
            // This is most of the line, and no byte of it has a meaning.
            while self.scanned + 1 < end, bytes[self.scanned].isFieldContent { self.scanned += 1 }
            let byte = bytes[self.scanned]
            if byte == .carriageReturn {
                self.reason = latin1Text(bytes, self.partStart..<self.scanned)
                self.start(.lineEnd)
                return nil
            }
            return byte.isFieldContent ? nil : HeadError.unexpected(byte, in: "the reason phrase")
        case .lineEnd:
            guard byte == .lineFeed else { return HeadError.bareCarriageReturn }
            self.start(.fields)
            return nil
        case .fields:
            return nil
        }
    }

    private mutating func takeVersion(_ byte: UInt8, at offset: Int) -> HeadError? {
        let prefix = Self.versionPrefix
        if offset < prefix.count {
            if byte == prefix[offset] { return nil }
            return offset == "HTTP/".utf8.count && byte.isDigit
                ? HeadError(.unsupportedVersion, "the version is not HTTP/1.1")
                : HeadError.unexpected(byte, in: "the version of the status line")
        }
        if offset > prefix.count {
            guard byte == .space else { return HeadError.unexpected(byte, in: "the version of the status line") }
            self.start(.status)
            return nil
        }
        switch byte {
        case UInt8(ascii: "1"): self.version = .http11
        case UInt8(ascii: "0"): self.version = .http10
        default:
            return byte.isDigit
                ? HeadError(.unsupportedVersion, "the version is not HTTP/1.1")
                : HeadError.unexpected(byte, in: "the version of the status line")
        }
        return nil
    }

    private mutating func start(_ state: State) {
        self.state = state
        self.partStart = self.scanned + 1
    }

    private mutating func fail(_ error: HeadError) -> HeadProgress<ResponseHead> {
        self.error = error
        return .invalid(error)
    }
}
