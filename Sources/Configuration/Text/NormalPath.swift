internal import HTTP1

/// A path in the one form in which routes and requests are compared. Servers decode a path before they compare it, so each character has
/// only one spelling here: visible ASCII is decoded, and other percent-encodings are in upper case (RFC 3986 section 6.2.2). Of `/`, `\`,
/// `;`, `?`, `#` and `%` both spellings are kept, because they mean different things to some servers.
///
/// A path that two servers may read differently has no such form: `.` and `..` segments in any spelling (`%2e`, `..;x`, between
/// backslashes or encoded slashes), `%00`, a leading `//`, broken percent-encodings, a query, a fragment.
public struct NormalPath: Equatable, Sendable {
    /// Why a path has no such form.
    public enum Flaw: Error, Equatable, Sendable {
        /// It does not begin with `/`, or is empty.
        case noSlashAtStart
        /// `//host` is a URL without a scheme to some readers, and so is `/\host` to browsers.
        case twoSlashesAtStart
        /// A character that must be percent-encoded, or `?` or `#`.
        case character
        /// A `%` without two hexadecimal digits after it.
        case brokenEncoding
        /// `%00`, which ends the path for some servers.
        case encodedNUL
        /// A segment that some server may read as `.` or `..`.
        case dotSegment
    }

    /// Visible ASCII; starts with `/`.
    public let text: String
    /// Whether it has a `%2F`, which only routes with `encoded-slashes: keep` accept.
    public let hasEncodedSlash: Bool

    /// Decodes `path`, which has no query. Throws the first flaw that is found.
    public init(_ path: some StringProtocol) throws(Flaw) {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw .noSlashAtStart }
        // Browsers take a backslash for a slash.
        guard bytes.count < 2 || bytes[1] != UInt8(ascii: "/") && bytes[1] != UInt8(ascii: "\\") else {
            throw .twoSlashesAtStart
        }
        // Most paths are in this form already.
        if Self.isNormal(bytes.span) {
            self.text = String(decoding: bytes, as: UTF8.self)
            self.hasEncodedSlash = false
            return
        }
        var normal: [UInt8] = []
        normal.reserveCapacity(bytes.count)
        var hasEncodedSlash = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte.isVisible, byte != UInt8(ascii: "#"), byte != UInt8(ascii: "?") else {
                throw .character
            }
            guard byte == UInt8(ascii: "%") else {
                Self.append(byte, isEncoded: false, to: &normal)
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = bytes[index + 1].hexadecimalValue,
                let low = bytes[index + 2].hexadecimalValue
            else { throw .brokenEncoding }
            let decoded = high << 4 | low
            guard decoded != 0 else { throw .encodedNUL }
            if decoded == UInt8(ascii: "/") { hasEncodedSlash = true }
            Self.append(decoded, isEncoded: true, to: &normal)
            index += 3
        }
        guard !Self.hasDotSegment(normal) else { throw .dotSegment }
        self.text = String(decoding: normal, as: UTF8.self)
        self.hasEncodedSlash = hasEncodedSlash
    }

    /// Whether a path is surely in this form already, as most are. One with a segment that begins with a dot may also be.
    public static func isNormal(_ path: Span<UInt8>) -> Bool {
        guard !path.isEmpty, path[0] == UInt8(ascii: "/") else { return false }
        var previous = UInt8(ascii: "/")
        for index in 1..<path.count {
            let byte = path[index]
            guard byte.isVisible, !self.isSpecial(byte) else { return false }
            let isAtStart = previous == UInt8(ascii: "/") || previous == UInt8(ascii: "\\")
            if isAtStart, byte == UInt8(ascii: ".") { return false }
            if index == 1, byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") { return false }
            previous = byte
        }
        return true
    }

    /// A character that cannot stand in a path, or not for itself.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "%"), UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: "?"): true
        default: false
        }
    }

    /// The flaw of a path that we send to a server; `nil` where there is none, or no path. It may begin with `//`.
    static func flaw(ofSent path: some StringProtocol) -> Flaw? {
        guard !path.isEmpty else { return nil }
        guard path.hasPrefix("/") else { return .noSlashAtStart }
        do {
            _ = try NormalPath("/\(path.drop { $0 == "/" })")
            return nil
        } catch {
            return error
        }
    }

    /// Appends a byte, percent-encoded or not, as the normal form has it.
    private static func append(_ byte: UInt8, isEncoded: Bool, to normal: inout [UInt8]) {
        // `*` is always encoded, because it has another meaning at the end of a pattern.
        guard isEncoded && !self.isDecoded(byte) || byte == UInt8(ascii: "*") else { return normal.append(byte) }
        let digits = Array("0123456789ABCDEF".utf8)
        normal.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
    }

    /// A segment ends at a slash. To some servers a backslash or an encoded slash is one too, and a `;` begins a parameter. All of these
    /// count in their percent-encoding too.
    private static func hasDotSegment(_ path: [UInt8]) -> Bool {
        guard path.contains(UInt8(ascii: ".")) else { return false }
        var dots = 0
        var isDots = false
        var index = 0
        while index <= path.count {
            let rest = path[index...]
            let byte = rest.first ?? UInt8(ascii: "/")
            let isEncoded = byte == UInt8(ascii: "%")
            let isSlash =
                byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
                || isEncoded && (rest.starts(with: "%5C".utf8) || rest.starts(with: "%2F".utf8))
            if isSlash || byte == UInt8(ascii: ";") || isEncoded && rest.starts(with: "%3B".utf8) {
                guard !isDots || dots == 0 || dots > 2 else { return true }
                isDots = isSlash
                dots = 0
            } else if byte == UInt8(ascii: ".") {
                dots += 1
            } else {
                isDots = false
            }
            index += isEncoded ? 3 : 1
        }
        return false
    }

    private static func isDecoded(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"),
            UInt8(ascii: "%"):
            false
        default: byte.isVisible
        }
    }
}

extension NormalPath.Flaw {
    /// What a path of the configuration must be like.
    var hint: String {
        switch self {
        case .noSlashAtStart: "it must start with `/`"
        case .twoSlashesAtStart: "it must start with a single `/`"
        case .character: "percent-encode other characters, as in `%20`"
        case .brokenEncoding: "`%` must be followed by two hexadecimal digits"
        case .encodedNUL: "`%00` is not allowed"
        case .dotSegment: "no segment may be `.` or `..`, not even before a `;`"
        }
    }
}
