/// How the peer's side of a connection ended.
public enum ConnectionEnd: Equatable, Sendable {
    /// With a FIN; over TLS, with a close_notify before it.
    case inOrder
    /// Over TLS with a FIN but no close_notify: data may be missing (RFC 8446 section 6.1).
    case truncated
    /// It was reset or failed otherwise, and accepts nothing any more.
    case failed
}
