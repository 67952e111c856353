internal import EventLoop

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

    /// Adds a leg that is about to be used. It is added once, until it is cooled down.
    func add(_ transport: Transport) {
        self.transports.append(transport)
        if self.timer == nil { self.setTimer() }
    }

    func timerFired() {
        self.timer = nil
        let limit = self.loop.now
        self.transports.removeAll { transport in
            guard !transport.isOpen || transport.lastUse + Self.interval <= limit else { return false }
            transport.coolDown()
            return true
        }
        if !self.transports.isEmpty { self.setTimer() }
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }
}
