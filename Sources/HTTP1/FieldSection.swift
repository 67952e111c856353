/// Reads the fields of a head and the empty line after them, each byte once (RFC 9112 section 5).
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

    /// What the bytes led to.
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

    /// Reads on from `index`, and moves it on. `bytes` is the whole head so far, of which what is before `end` is looked at.
    mutating func take(_ bytes: Span<UInt8>, from index: inout Int, to end: Int) -> Step {
        while index < end {
            switch self.state {
            case .lineStart:
                if let error = self.startLine(bytes[index], at: index, of: end) { return .invalid(error) }
            case .name:
                while index < end, bytes[index].isToken { index += 1 }
                guard index < end else { return .more }
                guard bytes[index] == UInt8(ascii: ":") else { return .invalid(Self.nameError(bytes[index])) }
                self.colon = index
                self.state = .value
            case .value:
                while index < end, bytes[index].isFieldContent { index += 1 }
                guard index < end else { return .more }
                guard bytes[index] == .carriageReturn else {
                    return .invalid(lineError(bytes[index], in: "a field value"))
                }
                self.fields.append(
                    bytes.extracting(self.lineStart..<self.colon),
                    bytes.extracting(bytes.trimmed(self.colon + 1..<index)))
                self.state = .lineEnd
            case .lineEnd:
                guard bytes[index] == .lineFeed else { return .invalid(bareCarriageReturn) }
                self.state = .lineStart
            case .sectionEnd:
                guard bytes[index] == .lineFeed else { return .invalid(bareCarriageReturn) }
                index += 1
                return .done
            }
            index += 1
        }
        return .more
    }

    /// - Parameter received: how many bytes are there.
    // Inlined, because an error is a large value to hand back where there is none.
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
                ? HeadError(.malformed, "a field without a name") : lineError(byte, in: "a field name")
        }
        // Most heads come in one piece, and their fields have the size of their lines.
        if self.fields.isEmpty { self.fields.reserveCapacity(fields: min(12, self.limit), bytes: received - index) }
        self.lineStart = index
        self.state = .name
        return nil
    }

    private static func nameError(_ byte: UInt8) -> HeadError {
        byte.isWhitespace
            ? HeadError(.malformed, "whitespace before the colon of a field") : lineError(byte, in: "a field name")
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
