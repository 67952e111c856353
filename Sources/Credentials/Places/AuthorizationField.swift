internal import HTTP1

/// The value of an `Authorization` field (RFC 9110 section 11.4): a scheme, and what belongs to it.
enum AuthorizationField {
    /// What follows the scheme, without the spaces between; empty where nothing does. `nil` for other schemes.
    static func rest(of value: String, scheme: String) -> String? {
        let end = value.utf8.firstIndex(of: .space) ?? value.endIndex
        guard value[..<end].equalsIgnoringCase(scheme) else { return nil }
        return String(Substring(value.utf8[end...].drop { $0 == .space }))
    }
}
