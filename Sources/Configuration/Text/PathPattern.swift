/// `/chat` (exact) or `/chat/*` (the subtree below it, not `/chat` itself), in the form of a `NormalPath`.
public enum PathPattern: Hashable, Sendable, CustomStringConvertible {
    /// This path alone, normalised.
    case exact(String)
    /// The prefix with its closing slash: `/chat/*` is `.subtree("/chat/")`.
    case subtree(String)

    /// As the file writes it: `/chat`, `/chat/*`.
    public var description: String {
        switch self {
        case .exact(let path): path
        case .subtree(let prefix): prefix + "*"
        }
    }

    /// Reads `/chat` or `/chat/*`, and normalises it as the path of a request is before it is compared (`NormalPath`).
    ///
    /// - Parameter encodedSlashes: The setting of the route.
    /// - Throws: A `Mistake` for a path that no request can match: one without a normal form, one with `%2F` where the route does not keep it,
    ///   one with a query, and one with a `*` that is not after the last slash.
    public init(parsing text: String, encodedSlashes: EncodedSlashes = .refuse) throws(Mistake) {
        func refused(_ hint: String) -> Mistake {
            .expected("a path such as `/chat` or `/chat/*`", not: text, hint: hint)
        }
        guard text.hasPrefix("/") else {
            throw refused(text.hasPrefix("*") ? "`/*` is every path" : "it must start with `/`")
        }
        let isSubtree = text.hasSuffix("/*")
        let path = isSubtree ? text.dropLast() : text[...]
        guard !path.contains("*") else { throw refused("`*` may only stand at the end, after a `/`") }
        guard !path.contains(where: { "?#".contains($0) }) else { throw refused("leave the query out") }
        guard !path.contains("\\") else { throw refused(NormalPath.Flaw.character.hint) }
        let normal: NormalPath
        do {
            normal = try NormalPath(path)
        } catch {
            throw refused(error.hint)
        }
        guard !normal.hasEncodedSlash || encodedSlashes == .keep else {
            throw refused("requests with `%2F` are refused, unless the route has `encoded-slashes: keep`")
        }
        self = isSubtree ? .subtree(normal.text) : .exact(normal.text)
    }
}

extension PathPattern {
    /// `encoded-slashes`: the treatment of a `%2F` in the path of a request.
    public enum EncodedSlashes: String, CaseIterable, Sendable {
        /// The request is refused: some servers take it for a slash, and others do not.
        case refuse
        /// It is an ordinary part of its segment, and is passed on unchanged.
        case keep
    }
}
