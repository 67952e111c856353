internal import System
internal import TLS

/// The TLS connections of a loop that may hold libssl's buffers, because they were used recently.
///
/// libssl can release its buffers after every record (`SSL_MODE_RELEASE_BUFFERS`), which costs an allocation of 50 KB per message, or
/// never, which costs 50 KB per idle connection. Checking the recently used ones once a second costs almost nothing.
final class WarmConnections: TimerHandler {
    private static let interval = Duration.seconds(1)

    private unowned let loop: EventLoop
    private var connections: [Connection] = []
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    /// Adds a connection that is about to be used. It must not be here already.
    func add(_ connection: Connection) {
        connection.warmPlace = Int32(self.connections.count)
        self.connections.append(connection)
        if self.timer == nil { self.setTimer() }
    }

    /// Removes the connection if it is here, so that a closed one does not stay in memory.
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
