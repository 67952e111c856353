internal import COpenSSL

/// Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 sections 4.1 and 4.2.2): that the other side read this very handshake.
package enum AcceptKey {
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The Accept that answers `key`.
    package static func accept(for key: String) -> String {
        let input = Array((key + self.guid).utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        // SHA1 reads `input.count` bytes and writes SHA_DIGEST_LENGTH.
        unsafe _ = SHA1(input, input.count, &digest)
        return self.base64(digest)
    }

    /// Whether `key` is the Base64 of 16 bytes, in the one canonical way.
    package static func isValid(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
        guard bytes[..<22].allSatisfy({ self.value(of: $0) != nil }) else { return false }
        // 22 digits are 132 bits, of which 128 count.
        return self.value(of: bytes[21])! & 0x0F == 0
    }

    /// A new key.
    package static func random() -> String {
        self.base64((0..<16).map { _ in .random(in: .min ... .max) })
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        // EVP_EncodeBlock writes four digits for every three bytes, and a NUL.
        let length = unsafe EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text[..<Int(length)], as: UTF8.self)
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
