public import Configuration
public import HTTP1

/// Finds the token of a request, and takes it out of what others see.
public struct TokenSearch: Sendable {
    /// What there is in a request.
    public enum Finding: Equatable, Sendable {
        /// No token.
        case absent
        /// One, in the first of the places that has any.
        case token(String, TokenPlace)
        /// That place has no one token: 401.
        case refused(Flaw)
    }

    private let places: [TokenPlace]

    /// - Parameter places: in their order.
    public init(_ places: [TokenPlace]) {
        self.places = places
    }

    /// Looks for a token.
    ///
    /// - Parameters:
    ///   - fields: those of the request.
    ///   - target: the request's target.
    public func token(fields: HTTPFields, target: String) -> Finding {
        for place in self.places {
            do {
                if let token = try Self.token(at: place, fields, target) { return .token(token, place) }
            } catch {
                return .refused(error)
            }
        }
        return .absent
    }

    private static func token(at place: TokenPlace, _ fields: HTTPFields, _ target: String) throws(Flaw) -> String? {
        switch place {
        case .header: return try self.bearer(fields)
        case .cookie(let name): return try self.only(of: fields.cookies(name), at: place)
        case .query(let name):
            return try self.only(of: self.query(of: target).map { QueryParameters($0).values(name) } ?? [], at: place)
        case .subprotocol:
            let tokens = SubprotocolCredential.all(in: fields.elements("Sec-WebSocket-Protocol")).map(\.token)
            guard !tokens.contains(nil) else { throw .malformed("the subprotocol with the token cannot be read") }
            return try self.only(of: tokens.compactMap(\.self), at: place)
        }
    }

    /// RFC 6750 section 2.1. A field of another scheme is no token.
    private static func bearer(_ fields: HTTPFields) throws(Flaw) -> String? {
        let values = fields.values("Authorization").filter { AuthorizationField.rest(of: $0, scheme: "Bearer") != nil }
        guard let value = try self.only(of: values, at: .header) else { return nil }
        guard let token = AuthorizationField.rest(of: value, scheme: "Bearer"), !token.isEmpty else {
            throw .malformed("the field Authorization has no token")
        }
        return token
    }

    /// The one value of a place; `nil` where there is none, or it is empty, as that of a cookie that was taken back. Which of several would
    /// count is not ours to say: the client, a page of another site, and the backend may each think of another.
    private static func only(of values: [String], at place: TokenPlace) throws(Flaw) -> String? {
        guard let first = values.first else { return nil }
        guard values.dropFirst().allSatisfy(first.isExactly) else {
            throw .malformed("there are several tokens in \(place)")
        }
        return first.isEmpty ? nil : first
    }

    // MARK: - Taking out

    /// A request's target without the parameters that tokens are looked for in, whether one was found or not: for backends, other services and
    /// the log.
    public func cleaned(target: String) -> String {
        guard var query = Self.query(of: target) else { return target }
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        var isChanged = false
        for case .query(let name) in self.places {
            let rest = QueryParameters(query).removing(name)
            isChanged = isChanged || rest.utf8.count != query.utf8.count
            query = rest
        }
        guard isChanged else { return target }
        return String(Substring(path)) + (query.isEmpty ? "" : "?\(query)")
    }

    /// What follows the first `?`.
    private static func query(of target: String) -> String? {
        target.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(target[target.utf8.index(after: $0)...]) }
    }

    /// Whether tokens are looked for among subprotocols, so that these are to be read as a `SubprotocolOffer`.
    public var looksAtSubprotocols: Bool { self.places.contains(.subprotocol) }
}
