/// A client that was turned away, as operators look back on it.
public struct RefusedRequest: Equatable, Sendable {
    /// When it was refused, since 1970-01-01 00:00 UTC.
    public let at: Duration
    /// The client as trusted proxies name it.
    public let client: String
    /// The field Host; `nil` if no whole request came.
    public let host: String?
    /// The path without the query, and without a token; `nil` if no whole request came.
    public let path: String?
    /// The name of its route; `nil` if it was refused before one was found.
    public let route: String?
    /// The Origin of its page; `nil`: it sent none.
    public let origin: String?
    /// The status of the answer; `nil` if there was none.
    public let status: Int?
    /// Why, as in the log.
    public let reason: String

    /// See the properties.
    public init(
        at: Duration, client: String, host: String?, path: String?, route: String?, origin: String?, status: Int?,
        reason: String
    ) {
        self.at = at
        self.client = client
        self.host = host
        self.path = path
        self.route = route
        self.origin = origin
        self.status = status
        self.reason = reason
    }
}
