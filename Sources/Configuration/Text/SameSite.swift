/// `cookie.same-site` of a backend: whether browsers send the cookie from pages of other sites.
public enum SameSite: String, CaseIterable, Sendable {
    /// Not from those.
    case lax
    /// From those, too, if it came over https.
    case none
}
