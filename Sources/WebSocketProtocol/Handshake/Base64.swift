/// Base64 (RFC 4648 section 4), as far as the opening handshake needs it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The encoding of `bytes`, padded.
    static func encoded(_ bytes: Span<UInt8>) -> String {
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

    /// The six bits of a character; `nil` if it is not in the alphabet.
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
