public import Configuration
public import HTTP1

/// The names of the fields that a route's credentials give to backends, so that no client can send them itself. Case, `_`, `.` and `-` make no
/// difference, as they make none to many servers.
public struct SentFields: Equatable, Sendable {
    private let folded: Set<String>

    /// - Parameter kinds: All kinds of credentials of a route, also those that a request does not show.
    public init(_ kinds: [AuthSettings]) {
        self.folded = Set(kinds.flatMap(\.sentFields).map { HeaderName.folded($0) })
    }

    /// The fields of a client's request without those that only credentials give.
    public func removed(from fields: HTTPFields) -> HTTPFields {
        guard !self.folded.isEmpty else { return fields }
        var kept = HTTPFields()
        for field in fields where !self.folded.contains(HeaderName.folded(field.name)) { kept.append(field) }
        return kept
    }
}
