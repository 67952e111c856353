package import HTTP1

/// The target of a request (RFC 9112 section 3.2), in a form that has one meaning only.
///
/// Percent-encodings of unreserved characters are decoded and others written in upper case (RFC 3986 section 6.2.2).
/// What two servers may read as different paths is refused: `.` and `..` segments in any spelling (`%2e`, `..;x`,
/// between backslashes), `%00`, `%2F`, a leading `//`, broken percent-encodings, fragments. The same rules hold for
/// every kind of route.
package struct RequestTarget: Equatable, Sendable {
    /// Normalised; starts with `/`.
    package let path: String
    /// What follows the first `?`, as sent; `nil` without one.
    package let query: String?
    /// Path and query as sent, for a backend.
    package let original: String

    /// Reads a target in origin-form (`/chat?x`) or absolute-form (`http://host/chat?x`), whose authority must be that
    /// of the Host field.
    package init(_ target: String, host: Authority) throws(HeadError) {
        var rest = Substring(target)
        if !target.utf8.starts(with: "/".utf8) {
            guard let (scheme, authority, after) = Self.splitAbsolute(rest) else {
                throw HeadError(.malformed, "the request target is neither a path nor a URL")
            }
            guard let named = Authority(authority), named.isSame(as: host, defaultPort: defaultPort(ofScheme: scheme))
            else { throw HeadError(.malformed, "the authority of the request target is not that of Host") }
            rest = after
        }
        let pathEnd = rest.utf8.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let path = rest[..<pathEnd]
        let query = rest[pathEnd...]
        self.path = path.isEmpty ? "/" : try Self.normalised(path)
        self.query = query.isEmpty ? nil : String(query.dropFirst())
        self.original = path.isEmpty ? "/" + query : String(rest)
    }

    /// A path without its ambiguities, or what is wrong with it.
    package static func normalised(_ path: some StringProtocol) throws(HeadError) -> String {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw HeadError(.malformed, "a path that does not start with /") }
        // Browsers take a backslash for a slash.
        guard bytes.count < 2 || bytes[1] != UInt8(ascii: "/") && bytes[1] != UInt8(ascii: "\\") else {
            throw HeadError(.malformed, "a path starts with //")
        }
        var normal: [UInt8] = []
        normal.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte.isVisible, byte != UInt8(ascii: "#"), byte != UInt8(ascii: "?") else {
                throw HeadError(.malformed, "a character in the path that cannot stand there")
            }
            guard byte == UInt8(ascii: "%") else {
                normal.append(byte)
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = bytes[index + 1].hexadecimalValue,
                let low = bytes[index + 2].hexadecimalValue
            else { throw HeadError(.malformed, "a broken percent-encoding in the path") }
            try Self.append(decoded: high << 4 | low, to: &normal)
            index += 3
        }
        try Self.refuseDotSegments(normal)
        return String(decoding: normal, as: UTF8.self)
    }

    /// Appends what a percent-encoded byte is in the normal form.
    private static func append(decoded byte: UInt8, to normal: inout [UInt8]) throws(HeadError) {
        switch byte {
        case 0: throw HeadError(.malformed, "a %00 in the path")
        case UInt8(ascii: "/"): throw HeadError(.malformed, "a %2F in the path")
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): normal.append(byte)
        case _ where byte.isDigit || byte.isLetter: normal.append(byte)
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            normal.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }

    /// A segment ends at a slash, and at a backslash since some servers read that as one. What follows a `;` in it is a
    /// parameter to other servers. Both count in their percent-encoding too.
    private static func refuseDotSegments(_ path: [UInt8]) throws(HeadError) {
        guard path.contains(UInt8(ascii: ".")) else { return }
        var dots = 0
        var isDots = false
        var index = 0
        while index <= path.count {
            let rest = path[index...]
            let byte = rest.first ?? UInt8(ascii: "/")
            let isEncoded = byte == UInt8(ascii: "%")
            let isSlash =
                byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") || isEncoded && rest.starts(with: "%5C".utf8)
            if isSlash || byte == UInt8(ascii: ";") || isEncoded && rest.starts(with: "%3B".utf8) {
                guard !isDots || dots == 0 || dots > 2 else {
                    throw HeadError(.malformed, "a . or .. segment in the path")
                }
                isDots = isSlash
                dots = 0
            } else if byte == UInt8(ascii: ".") {
                dots += 1
            } else {
                isDots = false
            }
            index += isEncoded ? 3 : 1
        }
    }

    /// Scheme, authority and the rest of `scheme://authority…`, for the schemes that lead here.
    private static func splitAbsolute(_ target: Substring) -> (String, String, Substring)? {
        for scheme in ["http", "https", "ws", "wss"] {
            let prefix = scheme + "://"
            guard target.prefix(prefix.utf8.count).equalsIgnoringCase(prefix) else { continue }
            let rest = target.dropFirst(prefix.utf8.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            return (scheme, String(authority), rest[authority.endIndex...])
        }
        return nil
    }
}
