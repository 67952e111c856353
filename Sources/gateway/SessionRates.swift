internal import System

/// Rates of sessions between two looks at them. The gateway's own are those of half a second, and jump.
struct SessionRates {
    /// The messages of each session at the look before.
    private var earlier: [String: UInt64] = [:]
    /// When that was; `nil`: there was none.
    private var time: MonotonicInstant?

    /// The sessions with their rates since the look before; those that were not there then keep the gateway's.
    ///
    /// - Parameter now: when they were looked at.
    mutating func rated(_ sessions: [SessionTable.Session], at now: MonotonicInstant) -> [SessionTable.Session] {
        let counts = sessions.map { ($0.id, $0.messagesToBackend + $0.messagesToClient) }
        defer {
            self.earlier = Dictionary(counts, uniquingKeysWith: { first, _ in first })
            self.time = now
        }
        guard let time = self.time, time < now else { return sessions }
        return zip(sessions, counts).map { session, count in
            guard let before = self.earlier[session.id] else { return session }
            var session = session
            // A count can fall by messages that were read and not passed on.
            session.rate = Double(count.1 > before ? count.1 - before : 0) / (now - time).secondsAsDouble
            return session
        }
    }
}
