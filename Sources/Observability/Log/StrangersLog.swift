public import Configuration
public import System

/// Limits what a worker logs of connections that do not become sessions, because any peer can cause any number of them: ten lines of a
/// kind in 10 s, then one line with the number of the others (`more`).
public final class StrangersLog: TimerHandler {
    /// What the lines of one kind have in common.
    public struct Kind: Hashable {
        /// The level of the lines.
        public let level: LogLevel
        /// The event of the lines.
        public let event: String
        /// The client's IPv4 address or its IPv6 /64 network.
        public var client: String?
        /// The name of the route, if there is one yet.
        public var route: String?
        /// The status of the answer, if there is one.
        public var status: Int?
        /// The reason, without text from a peer.
        public var reason: String

        /// See the properties.
        public init(
            level: LogLevel, event: String, client: String? = nil, route: String? = nil, status: Int? = nil,
            reason: String
        ) {
            self.level = level
            self.event = event
            self.client = client
            self.route = route
            self.status = status
            self.reason = reason
        }

        /// The kind for lines of too many kinds.
        fileprivate var general: Kind {
            Kind(level: self.level, event: self.event, status: self.status, reason: "various, of many addresses")
        }
    }

    private unowned let loop: EventLoop
    private let log: Log
    private var lines = RepeatedLines<Kind>()
    private var timer: EventLoop.TimerID?

    /// A limit for one worker, on its loop.
    public init(_ loop: EventLoop, _ log: Log) {
        self.loop = loop
        self.log = log
    }

    /// Whether to write a line of this kind. Call it once for each line.
    public func takes(_ kind: Kind) -> Bool {
        guard self.log.takes(kind.level, kind.event) else { return false }
        self.writeRests(until: self.loop.now)
        defer { if self.timer == nil { self.setTimer() } }
        return self.lines.takes(kind, orAs: kind.general, at: self.loop.now)
    }

    /// Reports the windows that are over.
    public func timerFired() {
        self.timer = nil
        self.writeRests(until: self.loop.now)
        self.setTimer()
    }

    /// Reports all windows and stops.
    public func end() {
        self.writeRests(until: .never)
        self.loop.cancelTimer(&self.timer)
    }

    private func setTimer() {
        if let next = self.lines.next { self.loop.setTimer(&self.timer, at: next, self) }
    }

    private func writeRests(until end: MonotonicInstant) {
        for rest in self.lines.takeEnded(at: end) {
            var record = LogRecord(rest.key.level, rest.key.event)
            record.add("client", rest.key.client)
            record.add("route", rest.key.route)
            if let status = rest.key.status { record.add("status", status) }
            record.add("reason", rest.key.reason.cut)
            record.add("more", rest.count)
            self.log.write(record)
        }
    }
}
