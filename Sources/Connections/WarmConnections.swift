internal import System
internal import TLS

/// The TLS connections of a loop whose libssl buffers may be in memory, because they were used lately.
///
/// libssl can give its buffers back after every record (`SSL_MODE_RELEASE_BUFFERS`), which costs an allocation of 50 KB per message,
/// or never, which costs that much per idle connection. A look once a second at those that were busy costs nothing to speak of.
final class WarmConnections: TimerHandler {
    private static let interval = Duration.seconds(1)

    private unowned let loop: EventLoop
    private var connections: [Connection] = []
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    /// Adds one that is about to be used, and is not here.
    func add(_ connection: Connection) {
        connection.warmPlace = Int32(self.connections.count)
        self.connections.append(connection)
        if self.timer == nil { self.setTimer() }
    }

    /// Takes it out, if it is here: one that is closed shall not be kept in memory by this.
    func remove(_ connection: Connection) {
        let place = Int(connection.warmPlace)
        guard place >= 0, let last = self.connections.popLast() else { return }
        connection.warmPlace = -1
        guard last !== connection else { return }
        self.connections[place] = last
        last.warmPlace = Int32(place)
    }

    func timerFired() {
        self.timer = nil
        let limit = self.loop.now
        var place = 0
        while place < self.connections.count {
            let connection = self.connections[place]
            if connection.lastUse + Self.interval <= limit {
                self.remove(connection)
                connection.tls?.releaseBuffers()
            } else {
                place += 1
            }
        }
        if !self.connections.isEmpty { self.setTimer() }
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }
}
