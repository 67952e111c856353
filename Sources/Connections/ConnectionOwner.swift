public import System

/// What a connection is for: it hears what happens to it.
///
/// The two own each other until the owner lets go of a connection that it has closed.
public protocol ConnectionOwner: AnyObject {
    /// There is news, or it is the connection's turn to read on (`Connection.readAgainLater`). What was queued has been sent as far as the
    /// socket takes it.
    func ready(_ connection: Connection, _ readiness: Readiness)

    /// It is the turn of the next step of the TLS handshake (`Connection.handshakeLater`).
    ///
    /// - Parameter waited: how long it was in line.
    /// - Returns: whether there was anything to do.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool

    /// What is queued takes so many bytes more of memory. It is told while the connection sends, and sends nothing itself.
    func queued(changedBy bytes: Int)
}

extension ConnectionOwner {
    /// Of those that have no TLS.
    public func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool { false }

    /// Of those that do not count memory.
    public func queued(changedBy bytes: Int) {}
}
