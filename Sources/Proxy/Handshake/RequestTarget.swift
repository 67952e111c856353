internal import HTTP1

/// What a request asks for (RFC 9112 section 3.2), in the one form that routes are compared with.
///
/// One normaliser for everything: where a path that was checked and a path that is used can differ, a check can be walked
/// around.
struct RequestTarget: Hashable, Sendable {
    /// Unreserved characters decoded, nothing else changed; without the query.
    let path: String
    /// Without its `?`; `nil` where there is none.
    let query: String?
    /// Path and query as the client wrote them: what a backend gets.
    let original: String
    /// Of the absolute form.
    let authority: Authority?

    /// - Throws: what is wrong, in a few words.
    init(_ text: String) throws(TargetError) {
        var rest = text[...]
        var authority: Authority?
        if !rest.hasPrefix("/") {
            guard let scheme = ["http://", "https://"].first(where: { text.asciiLowercased.hasPrefix($0) }) else {
                throw TargetError("the target is neither a path nor an http URL")
            }
            rest = rest.dropFirst(scheme.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = Authority(rest[..<end])
            guard authority != nil else { throw TargetError("the target's host is not valid") }
            rest = rest[end...]
            if !rest.hasPrefix("/") { rest = "/" + rest }
        }
        guard !rest.hasPrefix("//") else { throw TargetError("the path begins with //") }
        guard !rest.contains("#") else { throw TargetError("the target has a fragment") }
        self.authority = authority
        self.original = String(rest)
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.query = parts.count == 2 ? String(parts[1]) : nil
        self.path = try Self.normalised(parts[0])
    }

    /// Decodes what needs no encoding (RFC 3986 section 6.2.2.2), and refuses what can be read in two ways.
    private static func normalised(_ path: Substring) throws(TargetError) -> String {
        var decoded: [UInt8] = []
        let bytes = Array(path.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                guard bytes[index] != UInt8(ascii: "\\") else { throw TargetError("the path has a backslash") }
                decoded.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = Self.hex(bytes[index + 1]), let low = Self.hex(bytes[index + 2]) else {
                throw TargetError("the path has a percent sign without two hexadecimal digits")
            }
            let byte = high << 4 | low
            guard byte != 0 else { throw TargetError("the path has %00") }
            guard byte != UInt8(ascii: "/"), byte != UInt8(ascii: "\\") else { throw TargetError("the path has an encoded slash") }
            if Self.isUnreserved(byte) {
                decoded.append(byte)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                decoded += [UInt8(ascii: "%"), digits[Int(high)], digits[Int(low)]]
            }
            index += 3
        }
        let text = String(decoding: decoded, as: UTF8.self)
        for segment in text.split(separator: "/") where segment == "." || segment == ".." {
            throw TargetError("the path has a . or .. segment")
        }
        return text
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

/// What is wrong with a request target.
struct TargetError: Error, Hashable, Sendable {
    let description: String

    init(_ description: String) { self.description = description }
}
