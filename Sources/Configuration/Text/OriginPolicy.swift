/// Which Origins (RFC 6454) may open a session.
public enum OriginPolicy: Equatable, Sendable, CustomStringConvertible {
    /// Scheme, host and port equal those the client asked for.
    case sameOrigin
    /// Any Origin, `null` too.
    case any
    /// An Origin that one of these matches.
    case list([OriginPattern])

    /// The words that stand in the place of a list.
    static let words = ["same-origin", "any"]

    /// Reads one of the words.
    ///
    /// - Throws: A `Mistake` for anything else; an origin on its own lacks the list's brackets.
    init(word text: String) throws(Mistake) {
        switch text {
        case "same-origin": self = .sameOrigin
        case "any": self = .any
        case "*": throw .expected("`same-origin`, `any` or a list", not: text, hint: "did you mean `any`?")
        case let text where text.contains("://"):
            throw .expected("`same-origin`, `any` or a list", not: text, hint: "write `[\(text)]`")
        default: throw Word.mistake(text, among: Self.words + ["[https://app.example.com]"])
        }
    }

    /// As the file writes it.
    public var description: String {
        switch self {
        case .sameOrigin: "same-origin"
        case .any: "any"
        case .list(let patterns): "[\(patterns.map(\.description).joined(separator: ", "))]"
        }
    }
}
