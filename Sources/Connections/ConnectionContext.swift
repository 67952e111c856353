public import System
public import TLS

/// What all connections of one loop share.
public final class ConnectionContext {
    /// The loop that the connections are watched on.
    public let loop: EventLoop
    /// What their sockets are read into.
    public let buffers: ConnectionBuffers
    /// libssl's input and output, shared by all TLS connections of the loop.
    public let tlsIO = TLSIO()
    let warm: WarmConnections

    /// Makes the buffers for `loop`.
    ///
    /// - Parameter readSize: the most that one read takes, in bytes.
    public init(_ loop: EventLoop, readSize: Int = ConnectionBuffers.readSize) {
        self.loop = loop
        self.buffers = ConnectionBuffers(readSize: readSize)
        self.warm = WarmConnections(loop)
    }
}
