internal import Configuration
internal import HTTP1

/// The name of a file or folder below the folder of a route, as a request asks for it: a path without a slash at its beginning, `.` or `..`.
public struct FileName: Equatable, Sendable {
    /// Percent-decoded, so any byte but NUL may be in it.
    public let bytes: [UInt8]

    /// The name that the `*` of a route's path matched: that path stands for the folder.
    ///
    /// - Parameters:
    ///   - path: of a request (`RequestTarget.path`), without an encoded slash.
    ///   - prefix: the route's path up to the star.
    /// - Returns: nil for what is hidden, and for a path with two slashes in a row: each file has one name only.
    init?(_ path: String, below prefix: String) {
        guard path.hasPrefix(prefix), let bytes = Self.decoded(path.utf8.dropFirst(prefix.utf8.count)) else {
            return nil
        }
        let segments = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            guard !segment.isEmpty || isLast else { return nil }
            guard segment.first == UInt8(ascii: ".") else { continue }
            // Of the whole host (RFC 8615 section 3), and what is in it is meant to be found.
            guard prefix == "/", index == 0, !isLast, segment.elementsEqual(".well-known".utf8) else { return nil }
        }
        self.bytes = bytes
    }

    /// - Parameter path: of the configuration, below the folder; it begins with a slash and is not hidden.
    init(configured path: String) { self.bytes = Array(path.utf8.dropFirst()) }

    /// Whether it can only be a folder.
    public var isFolder: Bool { self.bytes.last ?? UInt8(ascii: "/") == UInt8(ascii: "/") }

    /// The file that answers for the folder.
    public var index: [UInt8] { self.bytes + "index.html".utf8 }

    /// Whether the last segment has a dot, as names of files have.
    var hasExtension: Bool {
        let start = self.bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return self.bytes[start...].contains(UInt8(ascii: "."))
    }

    private static func decoded(_ text: Substring.UTF8View) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue else {
                return nil
            }
            let value = high << 4 | low
            guard value != 0, value != UInt8(ascii: "/") else { return nil }
            decoded.append(value)
        }
        return decoded
    }
}
