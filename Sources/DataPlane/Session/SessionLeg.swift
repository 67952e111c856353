internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// What a session keeps of a leg besides its connection: whether its peer is alive.
struct SessionLeg {
    var heartbeat: Heartbeat

    init(at now: MonotonicInstant) { self.heartbeat = Heartbeat(at: now, spread: 0) }

    /// The session is open: begins to check that the peer is alive.
    ///
    /// - Parameters:
    ///   - settings: `nil` if only the kernel checks.
    ///   - takesPings: whether the leg is a WebSocket.
    ///   - spread: random.
    mutating func beginHeartbeat(
        _ settings: HeartbeatSettings?, takesPings: Bool, spread: UInt8, at now: MonotonicInstant,
        _ connection: Connection
    ) {
        self.heartbeat = Heartbeat(at: now, spread: spread)
        if let settings { connection.setUserTimeout(settings.longestSilence) }
        if settings == nil || !takesPings { connection.keepAlive(KeepAlive(settings)) }
    }
}

extension Connection {
    /// The connection's leg.
    var leg: Leg { self.tag == Leg.client.tag ? .client : .backend }

    /// How long it was not read.
    func unread(at now: MonotonicInstant) -> LegClosing.Unread {
        let unread = self.reading.unread(at: now)
        return LegClosing.Unread(time: unread.time, isNow: unread.isNow)
    }

    /// What is seen of it while it closes.
    ///
    /// - Parameters:
    ///   - awaited: what its peer has to do.
    ///   - lastByte: when a byte last came.
    func sight(awaiting awaited: ClosingHandshake.Awaited, lastByte: MonotonicInstant) -> LegClosing.Sight {
        let undelivered = self.undelivered
        return LegClosing.Sight(
            undelivered: undelivered, acknowledged: undelivered > 0 ? self.acknowledged : 0, awaited: awaited,
            lastByte: lastByte)
    }

    /// Sends what is staged. Returns whether the peer has acknowledged everything.
    func hasDelivered() -> Bool {
        self.sendStaged()
        return self.hasSentAll && self.undelivered == 0
    }

    /// How the peer's side ended. A reset right after an orderly end is not reported again.
    ///
    /// - Parameter hasClosed: what it had to send is complete, so that an end that may be cut short is in order.
    func end(inOrder: Bool, hasClosed: Bool) -> (end: ConnectionEnd, failure: ConnectionFailure?) {
        if inOrder || hasClosed, let reset = self.takeFailure() { return (.failed, reset) }
        return inOrder ? (.inOrder, nil) : (.truncated, .truncated)
    }

    /// Changes the heartbeat.
    ///
    /// - Parameters:
    ///   - settings: `nil` if only the kernel checks.
    ///   - takesPings: whether the leg is a WebSocket.
    func changeHeartbeat(_ settings: HeartbeatSettings?, takesPings: Bool) {
        self.setUserTimeout(settings?.longestSilence)
        if settings == nil || !takesPings { return self.keepAlive(KeepAlive(settings)) }
        self.endKeepAlive()
    }

    /// Has the kernel probe the peer, because we send it no pings.
    func keepAlive(_ times: KeepAlive) {
        self.keepAlive(idle: times.idle, interval: times.interval, count: times.count)
    }
}

extension Leg {
    /// The tag of the leg's connection.
    var tag: UInt8 { self == .client ? 0 : 1 }
}
