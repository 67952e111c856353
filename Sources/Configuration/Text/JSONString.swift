internal import HTTP1

extension [UInt8] {
    /// Appends a text as a JSON string (RFC 8259 section 7), in quotes. What a peer sent cannot end the string, begin a line or reach a
    /// terminal as a control character: those from U+0080 to U+009F are escaped too.
    public mutating func append(quoted text: String) {
        let text = text.utf8.span
        self.append(UInt8(ascii: "\""))
        // The first byte that is not copied yet. What needs no escape is copied as a whole.
        var start = 0
        var index = 0
        while index < text.count {
            let length = Self.lengthOfSpecialCharacter(in: text, at: index)
            if length > 0 {
                self.append(contentsOf: text.extracting(start..<index))
                // Of two bytes the second is the number of the character.
                self.appendEscaped(text[index + length - 1])
                start = index + length
            }
            index += Swift.max(length, 1)
        }
        self.append(contentsOf: text.extracting(start..<text.count))
        self.append(UInt8(ascii: "\""))
    }

    /// The number of bytes of the character here if it needs an escape, else 0.
    private static func lengthOfSpecialCharacter(in text: Span<UInt8>, at index: Int) -> Int {
        switch text[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7F: 1
        case 0xC2 where index + 1 < text.count && text[index + 1] < 0xA0: 2
        default: 0
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): self.append(contentsOf: "\\\\".utf8)
        case UInt8(ascii: "\n"): self.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\r"): self.append(contentsOf: "\\r".utf8)
        case UInt8(ascii: "\t"): self.append(contentsOf: "\\t".utf8)
        default: self.append(contentsOf: ((byte < 0x10 ? "\\u000" : "\\u00") + String(byte, radix: 16)).utf8)
        }
    }
}
