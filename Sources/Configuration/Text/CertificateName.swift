/// An entry of `names` of `certificate`: a name that a client's certificate may have.
public enum CertificateName: Hashable, Sendable, CustomStringConvertible {
    /// A host name, or `*.example.com`: one or more labels, not the apex.
    case host(HostPattern)
    /// A URI, or a common name that is no host name. It is compared byte by byte.
    case text(String)

    /// As the file writes it.
    public var description: String {
        switch self {
        case .host(let pattern): pattern.description
        case .text(let text): text
        }
    }

    /// Reads `device-1.example.com`, `*.devices.example.com`, `spiffe://example.com/device` or `Device 1`.
    ///
    /// - Throws: A `Mistake` for a text that no certificate has as a name, and for a `*` that stands for nothing.
    init(parsing text: String) throws(Mistake) {
        let expected = "a host name, `*.example.com`, a URI or a common name"
        guard text != "*" else { throw .expected(expected, not: text, hint: "leave `names` out for any name") }
        if text.contains("*") {
            self = .host(try HostPattern(parsing: text))
        } else if let pattern = try? HostPattern(parsing: text) {
            self = .host(pattern)
        } else {
            let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            guard isPlain, text.first?.isWhitespace == false, text.last?.isWhitespace == false else {
                throw .expected(expected, not: text)
            }
            self = .text(text)
        }
    }
}
