public import HTTP1

/// What a credential gives.
public struct Grant: Equatable, Sendable {
    /// What the log and the table of sessions call the client: the user, or a token's `sub`, or the name in a certificate.
    public var subject: String?
    /// What backends get. The client's own fields of these names must not reach them: see `SentFields`.
    public var fields: HTTPFields
    /// The second since 1970 from which on it is not good any more; `nil`: it stays good.
    public var expires: Int64?

    init(subject: String? = nil, fields: HTTPFields = HTTPFields(), expires: Int64? = nil) {
        self.subject = subject
        self.fields = fields
        self.expires = expires
    }
}
