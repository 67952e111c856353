public import HTTP1

/// A request at the admin address, read in full.
public struct AdminRequest: Equatable, Sendable {
    public var method: String
    /// Without the query.
    public var path: String
    /// What follows the `?`; empty without one.
    public var query: String
    public var version: HTTPVersion
    public var fields: HTTPFields
    public var body: [UInt8]

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

    /// What load balancers and monitors ask, if need be without saying whom they mean: plain probes are HTTP/1.0 without a Host, and
    /// HAProxy's plainest is `OPTIONS /`.
    var isProbe: Bool {
        switch (self.method, self.path) {
        case ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("HEAD", "/healthz"), ("HEAD", "/readyz"),
            ("HEAD", "/metrics"), ("OPTIONS", "/"):
            true
        default: false
        }
    }

    /// Whether the query says that the parameter is on: `name=true`, `name=1`, or the name alone. `nil` for any other value.
    func flag(_ name: String) -> Bool? {
        for parameter in self.query.split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == name else { continue }
            switch parts.count > 1 ? parts[1] : "true" {
            case "true", "1": return true
            case "false", "0": return false
            default: return nil
            }
        }
        return false
    }
}
