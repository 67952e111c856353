package import System
package import TLS

/// What all connections of one loop share.
package final class ConnectionContext {
    package let loop: EventLoop
    package let buffers: ConnectionBuffers
    package let tlsIO = TLSIO()
    let warm: WarmConnections

    /// - Parameter readSize: the most that one read takes, in bytes.
    package init(_ loop: EventLoop, readSize: Int = ConnectionBuffers.readSize) {
        self.loop = loop
        self.buffers = ConnectionBuffers(readSize: readSize)
        self.warm = WarmConnections(loop)
    }
}
