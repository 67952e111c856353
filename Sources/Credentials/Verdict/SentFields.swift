public import Configuration
public import HTTP1

/// The names of the fields that a route's credentials give to backends, so that no client can send them itself. Case, `_`, `.` and `-` make no
/// difference, as they make none to many servers.
public struct SentFields: Equatable, Sendable {
    private let folded: [[UInt8]]

    /// - Parameter kinds: All kinds of credentials of a route, also those that a request does not show.
    public init(_ kinds: [AuthSettings]) {
        self.folded = kinds.flatMap(\.sentFields).map { Array(HeaderName.folded($0).utf8) }
    }

    /// The fields of a client's request without those that only credentials give.
    public func removed(from fields: HTTPFields) -> HTTPFields {
        guard !self.folded.isEmpty else { return fields }
        var kept = HTTPFields()
        kept.append(fields) { !self.contains($0) }
        return kept
    }

    private func contains(_ name: Span<UInt8>) -> Bool {
        names: for folded in self.folded where folded.count == name.count {
            for index in folded.indices where HeaderName.folded(name[index]) != folded[index] { continue names }
            return true
        }
        return false
    }
}
