internal import HTTP1

/// An entry of `token` of `jwt`: where a request may have a token.
public enum TokenPlace: Hashable, Sendable, CustomStringConvertible {
    /// `Authorization: Bearer TOKEN` (RFC 6750 section 2.1).
    case header
    /// The cookie of this name.
    case cookie(String)
    /// The parameter of this name, decoded, in the URL's query.
    case query(String)
    /// An element of the subprotocols that are offered.
    case subprotocol

    /// As the file writes it.
    public var description: String {
        switch self {
        case .header: "header"
        case .cookie(let name): "cookie:\(name)"
        case .query(let name): "query:\(name)"
        case .subprotocol: "subprotocol"
        }
    }

    /// Reads `header`, `subprotocol`, `cookie:NAME` or `query:NAME`.
    ///
    /// - Throws: A `Mistake` for anything else, and for a name that cannot be the name of a cookie or a parameter.
    init(parsing text: String) throws(Mistake) {
        let name = text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) }
        switch (text.prefix { $0 != ":" }, name) {
        case ("header", nil): self = .header
        case ("subprotocol", nil): self = .subprotocol
        case ("cookie", let name?):
            guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
                throw .expected("`cookie:` and the name of a cookie, such as `cookie:session`", not: text)
            }
            self = .cookie(name)
        case ("query", let name?):
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !"&=#%+".utf8.contains($0) }) else {
                throw .expected(
                    "`query:` and the name of a parameter as it is decoded, such as `query:token`", not: text)
            }
            self = .query(name)
        default: throw Word.mistake(text, among: ["header", "cookie:NAME", "query:NAME", "subprotocol"])
        }
    }
}
