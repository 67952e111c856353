/// Checks that a stream of bytes is UTF-8 (RFC 3629), however it is cut. It fails at the first byte that cannot continue
/// the text. Surrogates, overlong forms and code points above U+10FFFF are not UTF-8.
public struct UTF8Validator: Hashable, Sendable {
    /// Continuation bytes that the current character still needs.
    private var needed: UInt8 = 0
    /// The next continuation byte must be from `lowest` to `highest`.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// At the start of a text.
    public init() {}

    /// Whether the bytes so far end with a whole character.
    public var isComplete: Bool { self.needed == 0 }

    /// Takes the next bytes of the stream. Returns false if one of them cannot continue it. Do not use the validator after
    /// that.
    ///
    /// - Parameter maskingKey: unmasks the bytes as they are read. Its first byte belongs to the first of them.
    public mutating func consume(_ bytes: Span<UInt8>, maskingKey: MaskingKey? = nil) -> Bool {
        var wholeCharacters = 0
        return self.consume(bytes, key: maskingKey ?? MaskingKey(bits: 0), wholeCharacters: &wholeCharacters)
    }

    /// The length of the longest prefix of `bytes` that is whole characters, and whether the byte after it can begin or
    /// continue none.
    ///
    /// If it is valid, at most 3 bytes follow the prefix: the beginning of a character, to be put in front of the next bytes.
    public static func validPrefix(of bytes: Span<UInt8>) -> (length: Int, isInvalid: Bool) {
        var validator = UTF8Validator()
        var length = 0
        let isValid = validator.consume(bytes, key: MaskingKey(bits: 0), wholeCharacters: &length)
        return (length, !isValid)
    }

    /// U+FFFD in UTF-8.
    public static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Makes valid text of `bytes`. Each maximal invalid part becomes one U+FFFD (Unicode section 3.9, "Substitution of
    /// Maximal Subparts").
    ///
    /// - Returns: whole characters, and up to 3 bytes that begin a character, to be put in front of the next bytes.
    public static func repair(_ bytes: Span<UInt8>) -> (text: [UInt8], rest: [UInt8]) {
        var text: [UInt8] = []
        var position = 0
        while true {
            let prefix = self.validPrefix(of: bytes.extracting(position..<bytes.count))
            let end = position + prefix.length
            Masking.appendXored(bytes.extracting(position..<end), with: nil, to: &text)
            guard prefix.isInvalid else { return (text, (end..<bytes.count).map { bytes[$0] }) }
            text += self.replacement
            // The byte that breaks off a character may begin the next one.
            var validator = UTF8Validator()
            position = end
            while validator.consume(bytes[position]) { position += 1 }
            if position == end { position += 1 }
        }
    }

    /// Sets `wholeCharacters` to the index after the last whole character, if there is one.
    private mutating func consume(
        _ bytes: Span<UInt8>, key: MaskingKey, wholeCharacters: inout Int
    ) -> Bool {
        var index = 0
        while index < bytes.count {
            if self.needed == 0 {
                index += Masking.asciiGroups(in: bytes, from: index, key: key.rotated(by: index))
                // The byte that ended the run is among the next 8. They go one by one, then a new run is tried.
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
