public import System
public import TLS

/// What all connections of one loop share.
public final class ConnectionContext {
    public let loop: EventLoop
    public let buffers: ConnectionBuffers
    public let tlsIO = TLSIO()
    let warm: WarmConnections

    /// - Parameter readSize: the most that one read takes, in bytes.
    public init(_ loop: EventLoop, readSize: Int = ConnectionBuffers.readSize) {
        self.loop = loop
        self.buffers = ConnectionBuffers(readSize: readSize)
        self.warm = WarmConnections(loop)
    }
}
