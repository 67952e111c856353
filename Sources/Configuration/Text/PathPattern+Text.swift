extension PathPattern {
    /// Reads `/chat` or `/chat/*`. Percent-encodings of unreserved characters are decoded and the others written in upper
    /// case (RFC 3986 section 6.2.2), as is done with the path of a request before it is compared.
    ///
    /// - Throws: A `Mistake` for what no request can match: `.` and `..`, `//` at the start, `%00`, `%2F`; for a query, and
    ///   for `*` anywhere but behind the last slash.
    package init(parsing text: String) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("a path such as `/chat` or `/chat/*`", not: text, hint: hint)
        }
        guard text.hasPrefix("/") else {
            throw refused(text.hasPrefix("*") ? "`/*` is every path" : "it begins with `/`")
        }
        guard !text.hasPrefix("//") else { throw refused("it begins with one `/`") }
        let isSubtree = text.hasSuffix("/*")
        let path = isSubtree ? text.dropLast() : text[...]
        guard !path.contains("*") else { throw refused("`*` stands at the end, behind a `/`") }
        guard !path.contains(where: { "?#".contains($0) }) else { throw refused("the query takes no part") }
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw refused("write other characters percent-encoded, as `%20`")
        }
        guard let normalised = Self.normalised(path) else {
            throw refused("`%` is followed by two hexadecimal digits, and never stands for `/` or NUL")
        }
        guard normalised.split(separator: "/").allSatisfy({ $0 != "." && $0 != ".." }) else {
            throw refused("without `.` and `..`")
        }
        self = isSubtree ? .subtree(normalised) : .exact(normalised)
    }

    /// Decodes what need not be encoded; `nil` where an encoding is malformed or forbidden.
    private static func normalised(_ path: Substring) -> String? {
        var result: [UInt8] = []
        var rest = path.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(self.hexadecimal),
                let low = rest.popFirst().flatMap(self.hexadecimal)
            else { return nil }
            switch high << 4 | low {
            case 0, UInt8(ascii: "/"):
                return nil
            case let byte where self.isUnreserved(byte):
                result.append(byte)
            case let byte:
                result +=
                    [UInt8(ascii: "%")] + (byte < 0x10 ? "0" : "").utf8 + String(byte, radix: 16, uppercase: true).utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// RFC 3986 section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
