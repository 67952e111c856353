package import HTTP1

/// A request at the admin address, read in full.
package struct AdminRequest: Equatable, Sendable {
    package var method: String
    /// Without the query.
    package var path: String
    /// What follows the `?`; empty without one.
    package var query: String
    package var fields: HTTPFields
    package var body: [UInt8]

    package init(
        method: String, target: String, fields: HTTPFields = HTTPFields(), body: [UInt8] = []
    ) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        self.path = String(parts[0])
        self.query = parts.count > 1 ? String(parts[1]) : ""
        self.fields = fields
        self.body = body
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
