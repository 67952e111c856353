/// One header field: a token and its value without the whitespace around it.
///
/// A value is read as ISO 8859-1, byte for byte, and written so: bytes above 127 (`obs-text`) pass unchanged.
package struct HTTPField: Equatable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How often a field occurs: for those that may occur once only.
package enum FieldOccurrence: Equatable, Sendable {
    case absent
    case once(String)
    case repeated
}

/// The fields of a head in their order. Names are compared without regard to case (RFC 9110 section 5.1).
package struct HTTPFields: Equatable, Sendable, RandomAccessCollection, ExpressibleByDictionaryLiteral {
    private var fields: [HTTPField] = []

    package init() {}

    /// Keeps order and repetitions.
    package init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.map { HTTPField(name: $0.0, value: $0.1) }
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { self.fields.count }

    package subscript(position: Int) -> HTTPField { self.fields[position] }

    package mutating func append(_ name: String, _ value: String) {
        self.fields.append(HTTPField(name: name, value: value))
    }

    package mutating func append(_ field: HTTPField) {
        self.fields.append(field)
    }

    /// The values of every field of that name, in order.
    package func values(_ name: String) -> [String] {
        var values: [String] = []
        for field in self.fields where field.name.equalsIgnoringCase(name) { values.append(field.value) }
        return values
    }

    /// The value of the first field of that name.
    package func first(_ name: String) -> String? {
        self.fields.first { $0.name.equalsIgnoringCase(name) }?.value
    }

    /// The value of the field of that name, where there is one and no other.
    package func only(_ name: String) -> FieldOccurrence {
        let values = self.values(name)
        switch values.count {
        case 0: return .absent
        case 1: return .once(values[0])
        default: return .repeated
        }
    }

    /// The elements of a comma-separated list, in lower case, from all fields of that name (RFC 9110 section 5.6.1).
    /// Empty elements are skipped.
    package func tokens(_ name: String) -> [String] {
        var tokens: [String] = []
        for value in self.values(name) {
            for element in value.utf8.split(separator: UInt8(ascii: ",")) {
                let trimmed = element.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
                guard !trimmed.isEmpty else { continue }
                tokens.append(String(decoding: trimmed.map(\.asciiLowercased), as: UTF8.self))
            }
        }
        return tokens
    }

    /// Appends `name: value CRLF` for each field.
    ///
    /// A control character, which no parser lets in, is written as a space: no value can split a head.
    package func encode(into bytes: inout [UInt8]) {
        for field in self.fields {
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: [UInt8(ascii: ":"), .space])
            appendLatin1(field.value, to: &bytes)
            bytes.append(contentsOf: [.carriageReturn, .lineFeed])
        }
    }
}

/// Appends text as ISO 8859-1 without control characters: what came from `latin1Text` goes out as the bytes it was.
func appendLatin1(_ text: String, to bytes: inout [UInt8]) {
    for scalar in text.unicodeScalars {
        let byte = UInt8(exactly: scalar.value) ?? UInt8(ascii: "?")
        bytes.append(byte.isFieldContent ? byte : .space)
    }
}

/// A range of bytes as text, each byte one scalar (ISO 8859-1).
func latin1Text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    // Nearly all are ASCII, which is UTF-8 as it is.
    if let ascii = try? UTF8Span(validating: bytes.extracting(range)), ascii.isKnownASCII {
        return String(copying: ascii)
    }
    var utf8: [UInt8] = []
    utf8.reserveCapacity(range.count)
    for index in range {
        let byte = bytes[index]
        if byte < 0x80 {
            utf8.append(byte)
        } else {
            utf8.append(0xC0 | byte >> 6)
            utf8.append(0x80 | byte & 0x3F)
        }
    }
    return String(decoding: utf8, as: UTF8.self)
}
