internal import System

extension [UInt8] {
    /// Appends `text` as a JSON string (RFC 8259 section 7) that no terminal reads commands from: what a peer sent cannot end the string,
    /// the line, or a title.
    package mutating func append(quoted text: String) {
        let text = text.utf8.span
        self.append(UInt8(ascii: "\""))
        // Where what needs no escape begins.
        var start = 0
        var index = 0
        while index < text.count {
            let length = Self.escapedLength(text, at: index)
            if length > 0 {
                self.append(text.extracting(start..<index))
                // Of two bytes the second is the number of the character.
                self.append(escaped: text[index + length - 1])
                start = index + length
            }
            index += Swift.max(length, 1)
        }
        self.append(text.extracting(start..<text.count))
        self.append(UInt8(ascii: "\""))
    }

    /// How many bytes here are a character that has to be escaped: quote, backslash, and control characters, of which those from U+0080
    /// to U+009F have two bytes; 0: none.
    private static func escapedLength(_ text: Span<UInt8>, at index: Int) -> Int {
        switch text[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7F: 1
        case 0xC2 where index + 1 < text.count && text[index + 1] < 0xA0: 2
        default: 0
        }
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.append("\\\"".utf8.span)
        case UInt8(ascii: "\\"): self.append("\\\\".utf8.span)
        case UInt8(ascii: "\n"): self.append("\\n".utf8.span)
        case UInt8(ascii: "\r"): self.append("\\r".utf8.span)
        case UInt8(ascii: "\t"): self.append("\\t".utf8.span)
        default: self.append(((byte < 0x10 ? "\\u000" : "\\u00") + String(byte, radix: 16)).utf8.span)
        }
    }
}
