internal import System
internal import TLS

/// The TLS legs of a worker whose libssl buffers may be in memory, because they were used lately.
///
/// libssl can give its buffers back after every record (`SSL_MODE_RELEASE_BUFFERS`), which costs an allocation of 50 KB per message,
/// or never, which costs that much per idle session. A look once a second at those that were busy costs nothing to speak of.
final class WarmTransports: TimerHandler {
    private static let interval = Duration.seconds(1)

    private unowned let loop: EventLoop
    private var transports: [Transport] = []
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    /// Adds a leg that is about to be used, and is not here.
    func add(_ transport: Transport) {
        transport.warmPlace = Int32(self.transports.count)
        self.transports.append(transport)
        if self.timer == nil { self.setTimer() }
    }

    /// Takes a leg out, if it is here: one that is closed shall not be kept in memory by this.
    func remove(_ transport: Transport) {
        let place = Int(transport.warmPlace)
        guard place >= 0, let last = self.transports.popLast() else { return }
        transport.warmPlace = -1
        guard last !== transport else { return }
        self.transports[place] = last
        last.warmPlace = Int32(place)
    }

    func timerFired() {
        self.timer = nil
        let limit = self.loop.now
        var place = 0
        while place < self.transports.count {
            let transport = self.transports[place]
            if transport.lastUse + Self.interval <= limit {
                self.remove(transport)
                transport.tls?.releaseBuffers()
            } else {
                place += 1
            }
        }
        if !self.transports.isEmpty { self.setTimer() }
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }
}
