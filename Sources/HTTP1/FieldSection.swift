/// Reads the fields of a head and the empty line after them, byte by byte (RFC 9112 section 5).
///
/// Strict: lines end in CRLF and nothing else, no line is folded, no space stands before a colon, and a control
/// character anywhere is an error, as soon as it is seen.
struct FieldSection: Sendable {
    private enum State {
        case lineStart
        case name
        case value
        /// After the CR of a field line.
        case lineEnd
        /// After the CR of the empty line.
        case sectionEnd
    }

    /// What one byte led to.
    enum Step {
        case more
        case done
        case invalid(HeadError)
    }

    private(set) var fields = HTTPFields()
    private let limit: Int
    private var state = State.lineStart
    private var lineStart = 0
    private var colon = 0

    /// `limit`: the most fields there may be.
    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the byte at `index`. `bytes` is the whole head so far.
    mutating func take(_ byte: UInt8, at index: Int, in bytes: Span<UInt8>) -> Step {
        switch self.state {
        case .lineStart: return self.startLine(byte, at: index)
        case .name: return self.continueName(byte, at: index)
        case .value:
            if byte == .carriageReturn {
                self.state = .lineEnd
                self.fields.append(latin1Text(bytes, self.lineStart..<self.colon), self.value(until: index, in: bytes))
                return .more
            }
            return byte.isFieldContent ? .more : .invalid(lineError(byte, in: "a field value"))
        case .lineEnd:
            guard byte == .lineFeed else { return .invalid(bareCarriageReturn) }
            self.state = .lineStart
            return .more
        case .sectionEnd:
            return byte == .lineFeed ? .done : .invalid(bareCarriageReturn)
        }
    }

    private mutating func startLine(_ byte: UInt8, at index: Int) -> Step {
        if byte == .carriageReturn {
            self.state = .sectionEnd
            return .more
        }
        if byte.isWhitespace { return .invalid(HeadError(.malformed, "a line starts with whitespace (folded field)")) }
        guard self.fields.count < self.limit else {
            return .invalid(HeadError(.tooLarge, "more than \(self.limit) fields"))
        }
        guard byte.isToken else {
            return .invalid(
                byte == UInt8(ascii: ":")
                    ? HeadError(.malformed, "a field without a name") : lineError(byte, in: "a field name"))
        }
        self.lineStart = index
        self.state = .name
        return .more
    }

    private mutating func continueName(_ byte: UInt8, at index: Int) -> Step {
        if byte == UInt8(ascii: ":") {
            self.colon = index
            self.state = .value
            return .more
        }
        if byte.isWhitespace { return .invalid(HeadError(.malformed, "whitespace before the colon of a field")) }
        return byte.isToken ? .more : .invalid(lineError(byte, in: "a field name"))
    }

    /// The value after the colon without the whitespace around it.
    private func value(until end: Int, in bytes: Span<UInt8>) -> String {
        var start = self.colon + 1
        var end = end
        while start < end, bytes[start].isWhitespace { start += 1 }
        while end > start, bytes[end - 1].isWhitespace { end -= 1 }
        return latin1Text(bytes, start..<end)
    }
}

let bareCarriageReturn = HeadError(.malformed, "a CR without LF")

/// The error for a byte that may not stand where it is.
func lineError(_ byte: UInt8, in place: String) -> HeadError {
    switch byte {
    case .lineFeed: HeadError(.malformed, "a line ends in LF without CR")
    case .carriageReturn: HeadError(.malformed, "a line ends within \(place)")
    case 0: HeadError(.malformed, "a NUL in \(place)")
    default: HeadError(.malformed, "byte \(hexadecimal(byte)) in \(place)")
    }
}

private func hexadecimal(_ byte: UInt8) -> String {
    "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}
