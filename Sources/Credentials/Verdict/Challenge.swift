public import Configuration

/// What a 401 says of the credentials that a route takes (RFC 9110 section 11.6.1).
public enum Challenge {
    /// The values of `WWW-Authenticate`, one for each scheme, in the order of the kinds. Certificates have none. What `forward` says is its
    /// service's own; this stands in for a service that says nothing.
    public static func values(_ kinds: [AuthSettings]) -> [String] {
        var values: [String] = []
        for value in kinds.compactMap(self.value) where !values.contains(value) { values.append(value) }
        return values
    }

    private static func value(_ kind: AuthSettings) -> String? {
        switch kind {
        case .jwt, .forward: "Bearer"
        case .basic(let settings): self.value(settings)
        case .certificate: nil
        }
    }

    /// The value for passwords. The charset has browsers send UTF-8 (RFC 7617 section 2.1).
    public static func value(_ settings: BasicSettings) -> String {
        "Basic realm=\"\(settings.realm)\", charset=\"UTF-8\""
    }
}
