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
        let bytes = text.utf8.span
        guard bytes.count <= 262, bytes.isVisible else { return nil }
        let hostEnd: Int
        if !bytes.isEmpty, bytes[0] == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")),
                let address = IPAddress(String(text.utf8.prefix(bracket).dropFirst()) ?? ""), !address.isIPv4
            else { return nil }
            self.host = address.description
            hostEnd = bracket + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard let host = Self.folded(text, to: hostEnd) else { return nil }
            self.host = host
        }
        switch bytes.count - hostEnd {
        case 0:
            self.port = nil
            self.text = text
        case 1 where bytes[hostEnd] == UInt8(ascii: ":"):
            self.port = nil
            self.text = String(text.utf8.prefix(hostEnd)) ?? ""
        default:
            guard bytes[hostEnd] == UInt8(ascii: ":"), let port = Self.port(bytes.extracting((hostEnd + 1)...)) else {
                return nil
            }
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

    /// The name up to `end`, in lower case and without the dot at its end.
    private static func folded(_ text: String, to end: Int) -> String? {
        let bytes = text.utf8.span
        let end = end > 0 && bytes[end - 1] == UInt8(ascii: ".") ? end - 1 : end
        var previous = UInt8(ascii: ".")
        var isFolded = true
        for index in 0..<end {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "."): guard previous != byte else { return nil }
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"): break
            default: guard byte.isDigit || byte.isLetter else { return nil }
            }
            isFolded = isFolded && byte == byte.asciiLowercased
            previous = byte
        }
        guard previous != UInt8(ascii: ".") else { return nil }
        let name = end == bytes.count ? text : String(text.utf8.prefix(end)) ?? ""
        return isFolded ? name : name.asciiLowercased
    }

    private static func port(_ bytes: Span<UInt8>) -> UInt16? {
        guard !bytes.isEmpty, bytes[0] != UInt8(ascii: "0"), bytes.count <= 5 else { return nil }
        var port = 0
        for index in bytes.indices {
            guard bytes[index].isDigit else { return nil }
            port = port * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return UInt16(exactly: port)
    }
}
