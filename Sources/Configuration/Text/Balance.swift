internal import HTTP1

/// `balance` of a backend: which endpoint gets the next session.
public enum Balance: Hashable, Sendable, CustomStringConvertible {
    /// Each endpoint in turn.
    case roundRobin
    /// The endpoint with the fewest live sessions, counted over all workers.
    case leastSessions
    /// The same endpoint for the same client address.
    case hashAddress
    /// The same endpoint for the same path.
    case hashPath
    /// Two are drawn, and the one with fewer sessions is taken.
    case randomTwo
    /// The endpoint that the client had before, by a cookie of the gateway.
    case cookie
    /// The same endpoint for the same value of a cookie that the application sets.
    case hashCookie(String)
    /// The same endpoint for the same value of a request's field.
    case hashHeader(String)
    /// The same endpoint for the same value of a parameter in the query.
    case hashQuery(String)

    /// Those that need no name.
    static let plain: [Balance] = [.roundRobin, .leastSessions, .hashAddress, .hashPath, .randomTwo, .cookie]

    /// As the file writes it.
    public var description: String {
        switch self {
        case .roundRobin: "round-robin"
        case .leastSessions: "least-sessions"
        case .hashAddress: "hash-address"
        case .hashPath: "hash-path"
        case .randomTwo: "random-two"
        case .cookie: "cookie"
        case .hashCookie(let name): "\(Kind.hashCookie.rawValue):\(name)"
        case .hashHeader(let name): "\(Kind.hashHeader.rawValue):\(name)"
        case .hashQuery(let name): "\(Kind.hashQuery.rawValue):\(name)"
        }
    }

    /// Whether what a request says leads to an endpoint, so that a client comes back to where it was.
    public var leadsBack: Bool {
        switch self {
        case .roundRobin, .leastSessions, .randomTwo: false
        case .hashAddress, .hashPath, .cookie, .hashCookie, .hashHeader, .hashQuery: true
        }
    }

    /// What stands before a colon and a name.
    enum Kind: String, CaseIterable {
        case hashCookie = "hash-cookie"
        case hashHeader = "hash-header"
        case hashQuery = "hash-query"
    }

    /// Reads a word such as `round-robin`, or `hash-cookie:NAME` and the like.
    ///
    /// - Throws: A `Mistake` for anything else, and for a name that cannot be the name of a cookie, a field or a parameter.
    init(parsing text: String) throws(Mistake) {
        if let plain = Self.plain.first(where: { $0.description == text }) {
            self = plain
            return
        }
        let word = text.prefix { $0 != ":" }
        guard let kind = Kind(rawValue: String(word)) else {
            let words = Self.plain.map(\.description) + Kind.allCases.map { "\($0.rawValue):NAME" }
            throw Word.mistake(text, among: words)
        }
        let name = String(text[word.endIndex...].dropFirst())
        guard kind.takes(name) else {
            throw .expected("`\(kind.rawValue):` and \(kind.example)", not: text)
        }
        switch kind {
        case .hashCookie: self = .hashCookie(name)
        case .hashHeader: self = .hashHeader(name)
        case .hashQuery: self = .hashQuery(name)
        }
    }
}

extension Balance.Kind {
    /// Cookies and fields are named by tokens (RFC 6265 section 4.1.1, RFC 9110 section 5.1). A parameter's name is written decoded, so what
    /// has a meaning in a query cannot stand in it.
    fileprivate func takes(_ name: String) -> Bool {
        guard !name.isEmpty else { return false }
        return switch self {
        case .hashCookie, .hashHeader: name.utf8.allSatisfy(\.isToken)
        case .hashQuery: name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"&=#%+".utf8.contains($0) }
        }
    }

    fileprivate var example: String {
        switch self {
        case .hashCookie: "the name of a cookie, such as `session`"
        case .hashHeader: "the name of a header field, such as `X-User`"
        case .hashQuery: "the name of a parameter as it is decoded, such as `room`"
        }
    }
}
