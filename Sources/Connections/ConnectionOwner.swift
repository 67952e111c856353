public import System

/// Is told what happens to its connections.
///
/// Owner and connection refer to each other until the owner releases a connection that it has closed or handed over.
public protocol ConnectionOwner: AnyObject {
    /// There is news, or it is the connection's turn to read on (`Connection.readAgainLater`). Queued bytes have already been sent as far
    /// as the socket accepts them.
    func ready(_ connection: Connection, _ readiness: Readiness)

    /// It is the turn of the next step of the TLS handshake (`Connection.handshakeLater`).
    ///
    /// - Parameter waited: how long the step waited for its turn.
    /// - Returns: whether there was anything to do.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool

    /// The queue's memory grew by `bytes`, or shrank if that is negative. Called while the connection sends: the owner must not send here.
    func queued(changedBy bytes: Int)
}

extension ConnectionOwner {
    /// For owners without TLS.
    public func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool { false }

    /// For owners that do not count memory.
    public func queued(changedBy bytes: Int) {}
}
