/// The versions of HTTP that a head may name (RFC 9112 section 2.3).
package enum HTTPVersion: Sendable {
    /// Health checks ask so, and Python's `http.server` and others answer so. Never a version to upgrade from.
    case http10
    case http11
}
