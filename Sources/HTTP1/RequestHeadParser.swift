/// Reads the head of a request (RFC 9112 sections 2 to 5) as its bytes arrive.
///
/// It is stricter than the RFC, because a request that two parsers read differently can be smuggled. The version is
/// HTTP/1.1, or 1.0 where that is allowed. Lines end in CRLF. Exactly one space separates the parts of the request line. No
/// empty line comes before it, although RFC 9112 section 2.2 lets a server skip one. A fault is reported at the first byte
/// that shows it.
public struct RequestHeadParser: Sendable {
    private enum State {
        case method
        case target
        case version
        case lineEnd
        case fields
    }

    private let limits: HeadLimits
    private var state = State.method
    /// How many bytes have been read.
    private var scanned = 0
    /// Where the part being read starts.
    private var partStart = 0
    private var method = ""
    private var target = ""
    private var headVersion = HTTPVersion.http11
    private let takesHTTP10: Bool
    private var section: FieldSection
    private var error: HeadError?

    /// Longer than any registered method. It ends a request that is only letters.
    private static let longestMethod = 32
    private static let version = Array("HTTP/1.1".utf8)

    /// - Parameter takesHTTP10: accept HTTP/1.0, too.
    public init(limits: HeadLimits = HeadLimits(), takesHTTP10: Bool = false) {
        self.limits = limits
        self.takesHTTP10 = takesHTTP10
        self.section = FieldSection(limit: limits.fields)
    }

    /// Reads on in `bytes`, which is everything received so far: the bytes of earlier calls, and more after them.
    ///
    /// Each byte is read once, however many calls there are. Do not call it after a head. After an error it returns that again.
    public mutating func parse(_ bytes: Span<UInt8>) -> HeadProgress<RequestHead> {
        if let error = self.error { return .invalid(error) }
        let end = min(bytes.count, self.limits.bytes)
        while self.scanned < end {
            if case .fields = self.state {
                switch self.section.take(bytes, from: &self.scanned, to: end) {
                case .more: break
                case .invalid(let error): return self.fail(error)
                case .done:
                    let head = RequestHead(
                        method: self.method, target: self.target, version: self.headVersion,
                        fields: self.section.takeFields()
                    )
                    return .head(head, length: self.scanned)
                }
            } else if let error = self.takeRequestLine(bytes[self.scanned], in: bytes, to: end) {
                return self.fail(error)
            } else {
                self.scanned += 1
            }
        }
        guard bytes.count == end else { return self.fail(HeadError(.tooLarge, "more than \(end) bytes")) }
        return .incomplete
    }

    /// Takes one byte of `method SP request-target SP HTTP-version CRLF`, or all those before `end` that say no more.
    private mutating func takeRequestLine(_ byte: UInt8, in bytes: Span<UInt8>, to end: Int) -> HeadError? {
        switch self.state {
        case .method:
            while self.scanned + 1 < end, self.scanned < Self.longestMethod, bytes[self.scanned].isToken {
                self.scanned += 1
            }
            let index = self.scanned
            let byte = bytes[index]
            if byte == .space, index > 0 {
                self.method = latin1Text(bytes, 0..<index)
                self.start(.target)
                return nil
            }
            if index == 0, byte == 0x16 { return HeadError(.malformed, "this is TLS, and the listener speaks HTTP") }
            if index == 0, byte == .carriageReturn { return HeadError(.malformed, "an empty line before the request") }
            guard byte.isToken else { return HeadError.unexpected(byte, in: "the method") }
            return index < Self.longestMethod ? nil : HeadError(.malformed, "the method is too long")
        case .target:
            while self.scanned + 1 < end, bytes[self.scanned].isInTarget { self.scanned += 1 }
            let byte = bytes[self.scanned]
            if byte == .space, self.scanned > self.partStart {
                self.target = latin1Text(bytes, self.partStart..<self.scanned)
                self.start(.version)
                return nil
            }
            if byte == UInt8(ascii: "#") { return HeadError(.malformed, "a fragment in the request target") }
            return byte.isInTarget ? nil : HeadError.unexpected(byte, in: "the request target")
        case .version:
            let version = Self.version
            var offset = self.scanned - self.partStart
            while self.scanned + 1 < end, offset < version.count, bytes[self.scanned] == version[offset] {
                self.scanned += 1
                offset += 1
            }
            return self.takeVersion(bytes[self.scanned], at: offset)
        case .lineEnd:
            guard byte == .lineFeed else { return HeadError.bareCarriageReturn }
            self.start(.fields)
            return nil
        case .fields:
            return nil
        }
    }

    private mutating func takeVersion(_ byte: UInt8, at offset: Int) -> HeadError? {
        guard offset < Self.version.count else {
            guard byte == .carriageReturn else { return HeadError.unexpected(byte, in: "the request line") }
            self.start(.lineEnd)
            return nil
        }
        if byte == Self.version[offset] { return nil }
        if self.takesHTTP10, offset == Self.version.count - 1, byte == UInt8(ascii: "0") {
            self.headVersion = .http10
            return nil
        }
        return offset >= "HTTP/".utf8.count && byte.isDigit
            ? HeadError(.unsupportedVersion, "the version is not \(self.takesHTTP10 ? "HTTP/1.0 or " : "")HTTP/1.1")
            : HeadError.unexpected(byte, in: "the version of the request line")
    }

    private mutating func start(_ state: State) {
        self.state = state
        self.partStart = self.scanned + 1
    }

    private mutating func fail(_ error: HeadError) -> HeadProgress<RequestHead> {
        self.error = error
        return .invalid(error)
    }
}

extension UInt8 {
    /// `VCHAR`, except the `#` that begins a fragment.
    fileprivate var isInTarget: Bool { self.isVisible && self != UInt8(ascii: "#") }
}
