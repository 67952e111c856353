internal import HTTP1

/// The name of a host: a DNS name, or an IP literal.
enum HostName {
    /// Lower case, without trailing dot; an IP literal as RFC 5952 writes it, without brackets.
    ///
    /// - Throws: A `Mistake` for anything else, such as a port, a scheme, a wildcard, or a name that DNS cannot have.
    static func canonical(_ text: String) throws(Mistake) -> String {
        if let address = IPAddress(text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...])
        {
            return address.description
        }
        let name = (text.hasSuffix(".") ? text.dropLast() : text[...]).asciiLowercased
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw .expected("a host name in ASCII", not: text, hint: "write an international name in its `xn--` form")
        }
        guard !name.contains("://"), !name.contains("/") else {
            throw .expected("a host name or IP address", not: text, hint: "leave scheme and path out")
        }
        guard !name.contains(":") || text.hasPrefix("[") else {
            throw .expected("a host name or IP address", not: text, hint: "leave the port out")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(self.isLabel), let last = labels.last else {
            throw .expected("a host name or IP address", not: text)
        }
        // A name that ends in a number is meant as an IPv4 address.
        guard !last.utf8.allSatisfy(\.isDigit) else {
            throw .expected("a host name or IP address", not: text)
        }
        return name
    }

    /// A host before a port: an IPv6 address stands in brackets (RFC 3986 section 3.2.2).
    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    /// Letters, digits, `-` and `_` (which container networks use), `-` not at an end; 1 to 63 of them.
    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}
