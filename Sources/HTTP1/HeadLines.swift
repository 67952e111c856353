/// Finds the lines of a head as they come, strictly: every line ends in CRLF, and nothing else does.
///
/// What a lenient parser forgives (a bare LF, a folded line, a NUL) is what two parsers disagree on, and that is request
/// smuggling. The caller gives all that has come each time; what was looked at is not looked at again.
struct HeadLines: Sendable {
    /// The most bytes of a head.
    static let longest = 16 << 10
    /// The most fields of a head.
    static let mostFields = 100

    /// The start line and the field lines that are whole.
    private(set) var lines: [String] = []
    private var scanned = 0
    private var lineStart = 0

    enum Result: Equatable {
        case incomplete
        /// - Parameter length: of the head with its empty line.
        case whole(length: Int)
        case invalid(HeadError)
    }

    mutating func scan(_ bytes: Span<UInt8>) -> Result {
        while self.scanned < bytes.count {
            let index = self.scanned
            let byte = bytes[index]
            guard index < Self.longest else { return .invalid(Self.tooLarge) }
            self.scanned += 1
            if byte == 0x0A {
                guard index > self.lineStart, bytes[index - 1] == 0x0D else { return .invalid(.malformed("a line ends in a bare LF")) }
                if let result = self.endLine(bytes, at: index - 1) { return result }
                self.lineStart = index + 1
            } else if index > self.lineStart, bytes[index - 1] == 0x0D {
                return .invalid(.malformed("a CR without its LF"))
            } else if byte != 0x0D, !byte.isFieldContent {
                return .invalid(.malformed("a control character in the head"))
            }
        }
        return .incomplete
    }

    private static let tooLarge = HeadError(kind: .tooLarge, description: "the head has more than 16 KiB")

    private mutating func endLine(_ bytes: Span<UInt8>, at end: Int) -> Result? {
        let line = bytes.extracting(self.lineStart..<end)
        if line.isEmpty {
            guard !self.lines.isEmpty else { return .invalid(.malformed("an empty line before the head")) }
            return .whole(length: end + 2)
        }
        guard self.lines.count <= Self.mostFields else {
            return .invalid(HeadError(kind: .tooLarge, description: "the head has more than 100 fields"))
        }
        var text: [UInt8] = []
        text.reserveCapacity(line.count)
        for index in 0..<line.count { text.append(line[index]) }
        // Not every byte has to be UTF-8: what isn't becomes U+FFFD, which no rule of ours lets through.
        self.lines.append(String(decoding: text, as: UTF8.self))
        return nil
    }

    /// The field lines as fields (RFC 9112 section 5).
    func fields() throws(HeadError) -> HTTPFields {
        var fields = HTTPFields()
        for line in self.lines.dropFirst() {
            guard line.first != " ", line.first != "\t" else { throw .malformed("a folded field line") }
            guard let colon = line.firstIndex(of: ":") else { throw .malformed("a field line without a colon") }
            let name = line[..<colon]
            guard name.isHTTPToken else { throw .malformed("a field name that is not a token") }
            fields.append(String(name), line[line.index(after: colon)...].trimmingHTTPSpace())
        }
        return fields
    }
}
