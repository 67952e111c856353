/// Checks text as it comes, in pieces of any size (RFC 3629). It fails at the first byte that no valid text can continue with.
package struct UTF8Validator: Sendable {
    /// How many continuation bytes the current character still needs.
    private var missing = 0
    /// What the next continuation byte may be: narrower than 0x80...0xBF after a lead byte that begins an overlong form, a
    /// surrogate, or a character beyond U+10FFFF.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    package init() {}

    /// Whether the text so far ends with a whole character.
    package var isComplete: Bool { self.missing == 0 }

    /// Takes more text. False: this is not UTF-8, whatever follows.
    package mutating func consume(_ bytes: Span<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            if self.missing == 0 { index = Self.endOfASCII(bytes, from: index) }
            guard index < bytes.count else { return true }
            guard self.consume(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        if self.missing > 0 {
            guard byte >= self.lowest, byte <= self.highest else { return false }
            self.missing -= 1
            (self.lowest, self.highest) = (0x80, 0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: self.missing = 1
        case 0xE0: (self.missing, self.lowest) = (2, 0xA0)
        case 0xED: (self.missing, self.highest) = (2, 0x9F)
        case 0xE1...0xEF: self.missing = 2
        case 0xF0: (self.missing, self.lowest) = (3, 0x90)
        case 0xF4: (self.missing, self.highest) = (3, 0x8F)
        case 0xF1...0xF3: self.missing = 3
        default: return false
        }
        return true
    }

    /// Skips ASCII, sixteen bytes at a time where it can.
    private static func endOfASCII(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index + 16 <= bytes.count {
            var high: UInt8 = 0
            for offset in 0..<16 { high |= bytes[index + offset] }
            guard high < 0x80 else { break }
            index += 16
        }
        while index < bytes.count, bytes[index] < 0x80 { index += 1 }
        return index
    }

    /// How much of a piece of a byte stream is whole characters: for cutting it into text messages.
    ///
    /// - Returns: the length of the longest prefix of whole characters (what follows it is the beginning of one, at most 3 bytes);
    ///   `nil` if this is not UTF-8.
    package static func wholeCharacters(in bytes: Span<UInt8>) -> Int? {
        var validator = UTF8Validator()
        guard validator.consume(bytes) else { return nil }
        guard !validator.isComplete else { return bytes.count }
        // The last lead byte begins what is not whole.
        var length = bytes.count - 1
        while length > 0, bytes[length] & 0xC0 == 0x80 { length -= 1 }
        return length
    }
}
