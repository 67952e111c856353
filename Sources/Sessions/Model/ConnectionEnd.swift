/// How the peer's side of a connection came to its end.
public enum ConnectionEnd: Equatable, Sendable {
    /// With a FIN, and under TLS a close_notify before it.
    case inOrder
    /// Under TLS without the close_notify: something may be missing (RFC 8446 section 6.1).
    case truncated
    /// It was reset, or failed otherwise, and takes nothing any more.
    case failed
}
