/// `/chat` (exact) or `/chat/*` (the subtree below it, not `/chat` itself), in the form of a `NormalPath`.
package enum PathPattern: Hashable, Sendable, CustomStringConvertible {
    case exact(String)
    /// The prefix with its closing slash: `/chat/*` is `.subtree("/chat/")`.
    case subtree(String)

    package var description: String {
        switch self {
        case .exact(let path): path
        case .subtree(let prefix): prefix + "*"
        }
    }

    /// Reads `/chat` or `/chat/*`, and normalises it as the path of a request is before it is compared (`NormalPath`).
    ///
    /// - Parameter encodedSlashes: of the route.
    /// - Throws: A `Mistake` for what no request can match: whatever has no normal form, and `%2F` where the route does not keep it; for a
    ///   query, and for `*` anywhere but behind the last slash.
    package init(parsing text: String, encodedSlashes: EncodedSlashes = .refuse) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("a path such as `/chat` or `/chat/*`", not: text, hint: hint)
        }
        guard text.hasPrefix("/") else {
            throw refused(text.hasPrefix("*") ? "`/*` is every path" : "it begins with `/`")
        }
        let isSubtree = text.hasSuffix("/*")
        let path = isSubtree ? text.dropLast() : text[...]
        guard !path.contains("*") else { throw refused("`*` stands at the end, behind a `/`") }
        guard !path.contains(where: { "?#".contains($0) }) else { throw refused("the query takes no part") }
        guard !path.contains("\\") else { throw refused(NormalPath.Flaw.character.hint) }
        let normal: NormalPath
        do {
            normal = try NormalPath(path)
        } catch {
            throw refused(error.hint)
        }
        guard !normal.hasEncodedSlash || encodedSlashes == .keep else {
            throw refused("requests with `%2F` are refused, but for `encoded-slashes: keep`")
        }
        self = isSubtree ? .subtree(normal.text) : .exact(normal.text)
    }
}
