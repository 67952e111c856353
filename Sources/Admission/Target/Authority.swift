internal import Configuration
internal import HTTP1

/// A host and perhaps a port, as in `Host`, a URL or an Origin (RFC 3986 section 3.2), read strictly: no user, no
/// percent-encoding, no empty label, and letters, digits, `-`, `.`, `_` and `~` only.
public struct Authority: Hashable, Sendable {
    /// For comparing: lower case, without trailing dot; an IPv6 address in its canonical form and without brackets.
    public let host: String
    /// `nil` where none is written.
    let port: UInt16?
    /// As written, without the colon of an empty port.
    let text: String

    /// Nil if the text is anything but `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. `host:` is `host`: a port may be empty
    /// (RFC 3986 section 3.2.3).
    public init?(_ text: String) {
        guard text.utf8.count <= 262 else { return nil }
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0.isVisible }) else { return nil }
        let hostEnd: Int
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let literal = String(decoding: bytes[1..<bracket], as: UTF8.self)
            guard literal.utf8.contains(UInt8(ascii: ":")), let address = IPAddress(literal) else { return nil }
            self.host = address.description
            hostEnd = bracket + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard let host = Self.folded(bytes[..<hostEnd]) else { return nil }
            self.host = host
        }
        let rest = bytes[hostEnd...]
        if rest.isEmpty || rest.elementsEqual(":".utf8) {
            self.port = nil
            self.text = rest.isEmpty ? text : String(decoding: bytes[..<hostEnd], as: UTF8.self)
        } else {
            guard rest.first == UInt8(ascii: ":"), let port = Self.port(rest.dropFirst()) else { return nil }
            self.port = port
            self.text = text
        }
    }

    /// Nothing: a request of HTTP/1.0 may have no Host. No route has it among its `hosts`.
    static let none = Authority()

    private init() {
        self.host = ""
        self.port = nil
        self.text = ""
    }

    /// `text`, up to the colon of the port.
    var textWithoutPort: String {
        guard let port = self.port else { return self.text }
        return String(self.text.dropLast(":\(port)".utf8.count))
    }

    /// Whether both mean the same place, where a port that is not written is `defaultPort`.
    func isSame(as other: Authority, defaultPort: UInt16) -> Bool {
        self.host == other.host && (self.port ?? defaultPort) == (other.port ?? defaultPort)
    }

    /// The name in lower case and without the dot at its end.
    private static func folded(_ bytes: ArraySlice<UInt8>) -> String? {
        let name = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes
        guard !name.isEmpty else { return nil }
        var previous = UInt8(ascii: ".")
        for byte in name {
            switch byte {
            case UInt8(ascii: "."): guard previous != byte else { return nil }
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"): break
            default: guard byte.isDigit || byte.isLetter else { return nil }
            }
            previous = byte
        }
        guard previous != UInt8(ascii: ".") else { return nil }
        let text = String(decoding: name, as: UTF8.self)
        return name.contains { $0.asciiLowercased != $0 } ? text.asciiLowercased : text
    }

    private static func port(_ bytes: ArraySlice<UInt8>) -> UInt16? {
        guard let first = bytes.first, first != UInt8(ascii: "0"), bytes.count <= 5 else { return nil }
        var port = 0
        for byte in bytes {
            guard byte.isDigit else { return nil }
            port = port * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return UInt16(exactly: port)
    }
}
