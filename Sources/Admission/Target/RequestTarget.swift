internal import Configuration
internal import HTTP1

/// The target of a request (RFC 9112 section 3.2), in a form that has only one meaning. The same rules (`NormalPath`)
/// hold for every kind of route.
public struct RequestTarget: Equatable, Sendable {
    /// Normalised; starts with `/`.
    public let path: String
    /// The path has a `%2F`, which only routes with `encoded-slashes: keep` take.
    public let hasEncodedSlash: Bool
    /// What follows the first `?`, as sent; `nil` without one.
    let query: String?
    /// Path and query as sent, for a backend.
    let original: String

    /// Reads a target in origin-form (`/chat?x`) or absolute-form (`http://host/chat?x`). The authority of the latter must be
    /// that of the Host field.
    init(_ target: String, host: Authority) throws(HeadError) {
        let bytes = target.utf8.span
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        if NormalPath.isNormal(bytes.extracting(..<end)) {
            let hasQuery = end < bytes.count
            self.path = hasQuery ? String(target.utf8.prefix(end)) ?? "" : target
            self.hasEncodedSlash = false
            self.query = hasQuery ? String(target.utf8.dropFirst(end + 1)) ?? "" : nil
            self.original = target
            return
        }
        var rest = Substring(target)
        if bytes.isEmpty || bytes[0] != UInt8(ascii: "/") {
            guard let (scheme, authority, after) = Self.splitAbsolute(rest) else {
                throw HeadError(.malformed, "the request target is neither a path nor a URL")
            }
            guard let named = Authority(authority), named.isSame(as: host, defaultPort: defaultPort(ofScheme: scheme))
            else { throw HeadError(.malformed, "the authority of the request target is not that of Host") }
            rest = after
        }
        let pathEnd = rest.utf8.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let path = rest[..<pathEnd]
        let query = rest[pathEnd...]
        let normal = try Self.normal(path.isEmpty ? "/" : path)
        self.path = normal.text
        self.hasEncodedSlash = normal.hasEncodedSlash
        self.query = query.isEmpty ? nil : String(query.dropFirst())
        self.original =
            if path.isEmpty { "/" + query } else if rest.startIndex == target.startIndex { target } else {
                String(rest)
            }
    }

    /// The same path with another query.
    ///
    /// - Parameter original: path and query.
    init(_ target: RequestTarget, original: String) {
        self.path = target.path
        self.hasEncodedSlash = target.hasEncodedSlash
        self.original = original
        self.query = original.utf8.firstIndex(of: UInt8(ascii: "?")).map {
            String(original[original.utf8.index(after: $0)...])
        }
    }

    private static func normal(_ path: some StringProtocol) throws(HeadError) -> NormalPath {
        do {
            return try NormalPath(path)
        } catch {
            throw HeadError(.malformed, error.detail)
        }
    }

    /// Scheme, authority and the rest of `scheme://authority…`, for the schemes that this gateway serves.
    private static func splitAbsolute(_ target: Substring) -> (String, String, Substring)? {
        for scheme in ["http", "https", "ws", "wss"] {
            let prefix = scheme + "://"
            guard target.prefix(prefix.utf8.count).equalsIgnoringCase(prefix) else { continue }
            let rest = target.dropFirst(prefix.utf8.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            return (scheme, String(authority), rest[authority.endIndex...])
        }
        return nil
    }
}

extension NormalPath.Flaw {
    /// What is wrong with a request that has such a path.
    fileprivate var detail: String {
        switch self {
        case .noSlashAtStart: "a path that does not start with /"
        case .twoSlashesAtStart: "a path starts with //"
        case .character: "a character in the path that cannot stand there"
        case .brokenEncoding: "a broken percent-encoding in the path"
        case .encodedNUL: "a %00 in the path"
        case .dotSegment: "a . or .. segment in the path"
        }
    }
}
