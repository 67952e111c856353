/// Base64 (RFC 4648), strict: there is one text for the same bytes.
public enum Base64 {
    /// Which 64 characters, and whether the text is padded.
    public enum Alphabet: Sendable {
        /// Section 4, padded with `=`.
        case standard
        /// Section 5, for URLs and names of files, without padding (RFC 7515 section 2).
        case url
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The encoding of `bytes` in the standard alphabet, padded.
    public static func encoded(_ bytes: Span<UInt8>) -> String {
        let alphabet = self.alphabet
        var text: [UInt8] = []
        text.append(addingCapacity: (bytes.count + 2) / 3 * 4) { text in
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let present = min(3, bytes.count - start)
                // A group of 24 bits, padded with zeros.
                var bits = Int(bytes[start]) << 16
                if present > 1 { bits |= Int(bytes[start + 1]) << 8 }
                if present > 2 { bits |= Int(bytes[start + 2]) }
                text.append(alphabet[bits >> 18])
                text.append(alphabet[bits >> 12 & 0x3F])
                text.append(present > 1 ? alphabet[bits >> 6 & 0x3F] : UInt8(ascii: "="))
                text.append(present > 2 ? alphabet[bits & 0x3F] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that a text stands for.
    ///
    /// - Returns: `nil` for a character outside the alphabet, padding that is missing or too much, and bits that no byte needs and that are
    ///   not zero: with them, two texts would be the same bytes (RFC 4648 section 3.5).
    public static func decoded(_ text: some Collection<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var pending = 0
        var rest = text[...]
        while let character = rest.first, let value = self.value(of: character, in: alphabet) {
            rest = rest.dropFirst()
            bits = bits << 6 | UInt32(value)
            pending += 6
            guard pending >= 8 else { continue }
            pending -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(pending)))
            bits &= (1 << UInt32(pending)) - 1
        }
        // Six bits are left over where one character is too much.
        guard pending < 6, bits == 0 else { return nil }
        let padding = alphabet == .standard ? pending / 2 : 0
        guard rest.count == padding, rest.allSatisfy({ $0 == UInt8(ascii: "=") }) else { return nil }
        return bytes
    }

    /// The six bits of a character; `nil` if it is not in the standard alphabet.
    public static func value(of character: UInt8) -> UInt8? { self.value(of: character, in: .standard) }

    private static func value(of character: UInt8, in alphabet: Alphabet) -> UInt8? {
        switch (character, alphabet) {
        case (UInt8(ascii: "A")...UInt8(ascii: "Z"), _): character - UInt8(ascii: "A")
        case (UInt8(ascii: "a")...UInt8(ascii: "z"), _): character - UInt8(ascii: "a") + 26
        case (UInt8(ascii: "0")...UInt8(ascii: "9"), _): character - UInt8(ascii: "0") + 52
        case (UInt8(ascii: "+"), .standard), (UInt8(ascii: "-"), .url): 62
        case (UInt8(ascii: "/"), .standard), (UInt8(ascii: "_"), .url): 63
        default: nil
        }
    }
}
