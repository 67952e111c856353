/// Reads the fields of a head and the empty line after them, each byte once (RFC 9112 section 5).
///
/// It is strict: every line ends in CRLF, no line is folded, no space precedes a colon, and a control character is an error
/// as soon as it is seen.
struct FieldSection: Equatable, Sendable {
    private enum State {
        case lineStart
        case name
        case value
        /// After the CR of a field line.
        case lineEnd
        /// After the CR of the empty line.
        case sectionEnd
    }

    /// The result of `take`.
    enum Step {
        case more
        case done
        case invalid(HeadError)
    }

    private var fields = HTTPFields()
    private let limit: Int
    private var state = State.lineStart
    private var lineStart = 0
    private var colon = 0
    /// Where the lines begin that stand in `fields` and are not copied yet: nearly always those of the whole section are copied at once.
    private var copied = 0

    /// - Parameter limit: the most fields.
    init(limit: Int) {
        self.limit = limit
    }

    /// Reads on from `index` up to `end`, and moves `index` on. `bytes` is the whole head so far.
    mutating func take(_ bytes: Span<UInt8>, from index: inout Int, to end: Int) -> Step {
        while index < end {
            switch self.state {
            case .lineStart:
                if let error = self.startLine(bytes[index], at: index, of: end) { return .invalid(error) }
                index += 1
                if self.state == .name { fallthrough }
            case .name:
                index = bytes.skipToken(from: index, to: end)
                guard index < end else { return .more }
                guard bytes[index] == UInt8(ascii: ":") else { return .invalid(Self.nameError(bytes[index])) }
                self.colon = index
                self.state = .value
                index += 1
                fallthrough
            case .value:
                index = bytes.skipFieldContent(from: index, to: end)
                guard index < end else { return .more }
                guard bytes[index] == .carriageReturn else {
                    return .invalid(HeadError.unexpected(bytes[index], in: "a field value"))
                }
                self.state = .lineEnd
                index += 1
                guard index < end else { return .more }
                fallthrough
            case .lineEnd:
                guard bytes[index] == .lineFeed else { return .invalid(HeadError.bareCarriageReturn) }
                self.endLine(bytes, at: index)
                self.state = .lineStart
                index += 1
            case .sectionEnd:
                guard bytes[index] == .lineFeed else { return .invalid(HeadError.bareCarriageReturn) }
                self.copyLines(of: bytes, to: index - 1)
                index += 1
                return .done
            }
        }
        return .more
    }

    /// - Parameter received: how many bytes of the head have arrived.
    // Inlined: returning an optional error is expensive, and there hardly ever is one.
    @inline(__always)
    private mutating func startLine(_ byte: UInt8, at index: Int, of received: Int) -> HeadError? {
        if byte == .carriageReturn {
            self.state = .sectionEnd
            return nil
        }
        if byte.isWhitespace { return HeadError(.malformed, "a line starts with whitespace (folded field)") }
        guard self.fields.count < self.limit else { return HeadError(.tooLarge, "more than \(self.limit) fields") }
        guard byte.isToken else {
            return byte == UInt8(ascii: ":")
                ? HeadError(.malformed, "a field without a name") : HeadError.unexpected(byte, in: "a field name")
        }
        // Most heads arrive in one piece: what has arrived is the size of all fields.
        if self.fields.isEmpty {
            self.fields.reserveCapacity(fields: min(12, self.limit), bytes: received - index)
            self.copied = index
        }
        self.lineStart = index
        self.state = .name
        return nil
    }

    /// Keeps the field of the line that ends with the LF at `index`.
    private mutating func endLine(_ bytes: Span<UInt8>, at index: Int) {
        // Nearly all lines come as we write them.
        let (start, end) = (self.colon + 2, index - 1)
        if start < end, bytes[start - 1] == .space, !bytes[start].isWhitespace, !bytes[end - 1].isWhitespace {
            self.fields.add(
                lineAt: self.lineStart - self.copied, nameLength: self.colon - self.lineStart,
                length: index + 1 - self.lineStart)
        } else {
            self.copyLines(of: bytes, to: self.lineStart)
            let value = bytes.trimmed(self.colon + 1..<end)
            self.fields.append(bytes.extracting(self.lineStart..<self.colon), bytes.extracting(value))
            self.copied = index + 1
        }
    }

    /// The fields, once they are `done`.
    mutating func takeFields() -> HTTPFields {
        var fields = HTTPFields()
        swap(&fields, &self.fields)
        return fields
    }

    /// Copies the lines up to `end` that are not copied yet.
    private mutating func copyLines(of bytes: Span<UInt8>, to end: Int) {
        guard !self.fields.isEmpty else { return }
        self.fields.append(lines: bytes.extracting(self.copied..<end))
        self.copied = end
    }

    private static func nameError(_ byte: UInt8) -> HeadError {
        byte.isWhitespace
            ? HeadError(.malformed, "whitespace before the colon of a field")
            : HeadError.unexpected(byte, in: "a field name")
    }
}
