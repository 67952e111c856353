/// The alphabet of RFC 4648 section 4, for what the opening handshake needs of it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The encoding of `bytes`, padded.
    static func encoded(_ bytes: [UInt8]) -> String {
        let alphabet = self.alphabet
        let text = [UInt8](capacity: (bytes.count + 2) / 3 * 4) { text in
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let present = min(3, bytes.count - start)
                // The group as 24 bits, filled up with zeros.
                var bits = 0
                for index in 0..<3 { bits = bits << 8 | (index < present ? Int(bytes[start + index]) : 0) }
                for index in 0..<4 {
                    text.append(index <= present ? alphabet[bits >> (18 - index * 6) & 0x3F] : UInt8(ascii: "="))
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What a character stands for; nil if it is not in the alphabet.
    static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
