public import HTTP1

/// A complete request at the admin address.
public struct AdminRequest: Equatable, Sendable {
    /// The method, as it came.
    public var method: String
    /// The target without the query.
    public var path: String
    /// The target behind the `?`; empty if there is none.
    public var query: String
    /// HTTP/1.0 or HTTP/1.1.
    public var version: HTTPVersion
    /// The header fields.
    public var fields: HTTPFields
    /// The body; empty if there is none.
    public var body: [UInt8]

    /// - Parameter target: the path, with the query if there is one.
    public init(
        method: String, target: String, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields(),
        body: [UInt8] = []
    ) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        self.path = String(parts[0])
        self.query = parts.count > 1 ? String(parts[1]) : ""
        self.version = version
        self.fields = fields
        self.body = body
    }

    /// Whether it is a request of a load balancer or a monitor. These may be HTTP/1.0 without a Host. HAProxy's default is `OPTIONS /`.
    var isProbe: Bool {
        switch (self.method, self.path) {
        case ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("HEAD", "/healthz"), ("HEAD", "/readyz"),
            ("HEAD", "/metrics"), ("OPTIONS", "/"):
            true
        default: false
        }
    }
}
