internal import HTTP1

/// `token` of a backend with `tokens`: where a request has the token that stands for its endpoint.
public enum TargetTokenPlace: Hashable, Sendable, CustomStringConvertible {
    /// The parameter of this name, decoded, in the query.
    case query(String)
    /// The header field of this name.
    case header(String)
    /// What the `*` of the route's path stands for.
    case path

    /// As the file writes it.
    public var description: String {
        switch self {
        case .query(let name): "query:\(name)"
        case .header(let name): "header:\(name)"
        case .path: "path"
        }
    }

    /// Reads `query:NAME`, `header:NAME` or `path`.
    ///
    /// - Throws: A `Mistake` for anything else, for a name that cannot be the name of a parameter or a field, and for a field that the gateway
    ///   itself reads: some of those are in the log.
    init(parsing text: String) throws(Mistake) {
        let word = text.prefix { $0 != ":" }
        let name = String(text[word.endIndex...].dropFirst())
        switch (word, word.endIndex == text.endIndex) {
        case ("path", true): self = .path
        case ("query", false):
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !"&=#%+".utf8.contains($0) }) else {
                throw .expected(
                    "`query:` and the name of a parameter as it is decoded, such as `query:token`", not: text)
            }
            self = .query(name)
        case ("header", false):
            let expected = "`header:` and the name of a header field, such as `header:X-Token`"
            guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else { throw .expected(expected, not: text) }
            guard !Self.isRead(name.asciiLowercased) else {
                throw .expected(expected, not: text, hint: "the gateway itself reads that field")
            }
            self = .header(name)
        default: throw Word.mistake(text, among: ["query:NAME", "header:NAME", "path"])
        }
    }

    /// Whether a field has a meaning for the gateway.
    ///
    /// - Parameter name: in lower case.
    private static func isRead(_ name: String) -> Bool {
        let names = [
            "host", "origin", "connection", "upgrade", "content-length", "transfer-encoding", "expect", "forwarded",
            "x-real-ip", "x-request-id",
        ]
        return names.contains(name) || name.hasPrefix("sec-websocket-") || name.hasPrefix("x-forwarded-")
    }
}
