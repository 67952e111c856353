/// Checks that a stream of bytes is UTF-8 (RFC 3629), whatever pieces it comes in, and fails at the first byte that
/// cannot be part of it: surrogates, overlong forms and what is beyond U+10FFFF included.
package struct UTF8Validator: Hashable, Sendable {
    /// Continuation bytes the character in progress still needs.
    private var needed: UInt8 = 0
    /// What the next continuation byte may be.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    package init() {}

    /// Whether everything so far is whole characters.
    package var isComplete: Bool { self.needed == 0 }

    /// Takes the next bytes of the stream. False as soon as one cannot continue it; the validator is of no more use then.
    ///
    /// With a `maskingKey` the bytes are read as what they stand for; its first byte belongs to the first of them.
    package mutating func consume(_ bytes: Span<UInt8>, maskingKey: MaskingKey? = nil) -> Bool {
        var wholeCharacters = 0
        return self.consume(bytes, key: maskingKey ?? MaskingKey(bits: 0), wholeCharacters: &wholeCharacters)
    }

    /// The longest prefix of `bytes` that is whole characters, and whether what follows it can never become one.
    ///
    /// It cuts a stream into text: when not invalid, at most 3 bytes are left, to be put in front of what comes next.
    package static func validPrefix(of bytes: Span<UInt8>) -> (length: Int, isInvalid: Bool) {
        var validator = UTF8Validator()
        var length = 0
        let isValid = validator.consume(bytes, key: MaskingKey(bits: 0), wholeCharacters: &length)
        return (length, !isValid)
    }

    /// U+FFFD in UTF-8.
    package static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Makes text of `bytes`: each maximal part that cannot be any becomes one U+FFFD (Unicode section 3.9, "Substitution of Maximal
    /// Subparts").
    ///
    /// - Returns: whole characters, and at most 3 bytes that may be the beginning of one, to be put in front of what comes next.
    package static func repair(_ bytes: Span<UInt8>) -> (text: [UInt8], rest: [UInt8]) {
        var text: [UInt8] = []
        var position = 0
        while true {
            let prefix = self.validPrefix(of: bytes.extracting(position..<bytes.count))
            let end = position + prefix.length
            Masking.appendXored(bytes.extracting(position..<end), with: nil, to: &text)
            guard prefix.isInvalid else { return (text, (end..<bytes.count).map { bytes[$0] }) }
            text += self.replacement
            // The byte at which a character breaks off may begin the next one.
            var validator = UTF8Validator()
            position = end
            while validator.consume(bytes[position]) { position += 1 }
            if position == end { position += 1 }
        }
    }

    /// `wholeCharacters` becomes the index after the last whole character, and is left alone if there is none.
    private mutating func consume(
        _ bytes: Span<UInt8>, key: MaskingKey, wholeCharacters: inout Int
    ) -> Bool {
        var index = 0
        while index < bytes.count {
            if self.needed == 0 {
                index += Masking.asciiGroups(in: bytes, from: index, key: key.rotated(by: index))
                // Whatever ended the run is within the next 8 bytes: they go one by one, then a new run is tried.
                let end = min(index + 8, bytes.count)
                wholeCharacters = index
                while index < end {
                    guard self.consume(bytes[index] ^ key[index]) else { return false }
                    index += 1
                    if self.needed == 0 { wholeCharacters = index }
                }
            } else {
                guard self.consume(bytes[index] ^ key[index]) else { return false }
                index += 1
                if self.needed == 0 { wholeCharacters = index }
            }
        }
        return true
    }

    /// Takes one byte: the table of RFC 3629 section 4.
    mutating func consume(_ byte: UInt8) -> Bool {
        if self.needed > 0 {
            guard byte >= self.lowest && byte <= self.highest else { return false }
            self.expect(self.needed - 1)
            return true
        }
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: self.expect(1)
        case 0xE0: self.expect(2, from: 0xA0)
        case 0xE1...0xEC, 0xEE...0xEF: self.expect(2)
        case 0xED: self.expect(2, to: 0x9F)
        case 0xF0: self.expect(3, from: 0x90)
        case 0xF1...0xF3: self.expect(3)
        case 0xF4: self.expect(3, to: 0x8F)
        default: return false
        }
        return true
    }

    private mutating func expect(_ count: UInt8, from lowest: UInt8 = 0x80, to highest: UInt8 = 0xBF) {
        self.needed = count
        self.lowest = lowest
        self.highest = highest
    }
}
