internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// What a session keeps of a leg beside its connection: whether its peer lives.
struct SessionLeg {
    var heartbeat: Heartbeat

    init(at now: MonotonicInstant) { self.heartbeat = Heartbeat(at: now, spread: 0) }

    /// The session is open: from now on the peer has to live.
    ///
    /// - Parameters:
    ///   - settings: `nil`: nobody looks but the kernel.
    ///   - takesPings: whether it is a WebSocket.
    ///   - spread: random.
    mutating func beginHeartbeat(
        _ settings: HeartbeatSettings?, takesPings: Bool, spread: UInt8, at now: MonotonicInstant,
        _ connection: Connection
    ) {
        self.heartbeat = Heartbeat(at: now, spread: spread)
        if let settings { connection.setUserTimeout(settings.interval + settings.timeout) }
        if settings == nil || !takesPings { connection.keepAlive(KeepAlive(settings)) }
    }
}

extension Connection {
    /// Which leg of its session it is.
    var leg: Leg { self.tag == Leg.client.tag ? .client : .backend }

    /// Another heartbeat holds from now on.
    ///
    /// - Parameters:
    ///   - settings: `nil`: nobody looks but the kernel.
    ///   - takesPings: whether it is a WebSocket.
    func changeHeartbeat(_ settings: HeartbeatSettings?, takesPings: Bool) {
        self.setUserTimeout(settings.map { $0.interval + $0.timeout })
        if settings == nil || !takesPings { return self.keepAlive(KeepAlive(settings)) }
        self.endKeepAlive()
    }

    /// The kernel asks the peer whether it is there, where nobody else does.
    fileprivate func keepAlive(_ times: KeepAlive) {
        self.keepAlive(idle: times.idle, interval: times.interval, count: times.count)
    }
}

extension Leg {
    /// What a session calls the leg's connection.
    var tag: UInt8 { self == .client ? 0 : 1 }
}
