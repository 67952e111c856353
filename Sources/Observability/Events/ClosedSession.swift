public import Sessions

/// A session that has ended, as operators look back on it.
public struct ClosedSession: Equatable, Sendable {
    /// When it ended, since 1970-01-01 00:00 UTC.
    public let at: Duration
    /// Its id.
    public let session: SessionID
    /// The route's name.
    public let route: String
    /// The backend's name; `nil` if it had none.
    public let backend: String?
    /// The endpoint's name; `nil` if it had none.
    public let endpoint: String?
    /// The client as trusted proxies name it.
    public let client: String
    /// Why it ended.
    public let cause: Cause
    /// The code of the Close that the client sent or received; `nil` if there was none.
    public let code: UInt16?
    /// The side that ended it: the word of the log.
    public let by: String
    /// The reason in the gateway's own Close to the client; `nil` if it sent none.
    public let reason: String?
    /// What more the log says of the cause.
    public let detail: String?
    /// How long it lasted, from the client's first byte.
    public let duration: Duration

    /// See the properties.
    public init(
        at: Duration, session: SessionID, route: String, backend: String?, endpoint: String?, client: String,
        cause: Cause, code: UInt16?, by: String, reason: String?, detail: String?, duration: Duration
    ) {
        self.at = at
        self.session = session
        self.route = route
        self.backend = backend
        self.endpoint = endpoint
        self.client = client
        self.cause = cause
        self.code = code
        self.by = by
        self.reason = reason
        self.detail = detail
        self.duration = duration
    }

    /// How it ended, for people: `backend-gone, 1011, by the backend`.
    public var summary: String {
        "\(self.cause.rawValue), \(self.code.map { "\($0)" } ?? "no code"), by the \(self.by)"
    }
}
