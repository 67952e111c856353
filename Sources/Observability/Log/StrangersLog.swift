public import Configuration
public import System

/// What a worker logs of connections that did not become sessions. Any peer can cause any number of those: lines of one kind are written
/// ten times in 10 s, and the rest is one line with `more`.
public final class StrangersLog: TimerHandler {
    /// What lines of one kind have in common.
    public struct Kind: Hashable {
        public let level: LogLevel
        public let event: String
        /// An address, or its /64 network.
        public var client: String?
        public var route: String?
        public var status: Int?
        /// Without quotes of a peer.
        public var reason: String

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

        /// What is reported when there are too many kinds.
        fileprivate var general: Kind {
            Kind(level: self.level, event: self.event, status: self.status, reason: "various, of many addresses")
        }
    }

    private unowned let loop: EventLoop
    private let log: Log
    private var lines = RepeatedLines<Kind>()
    private var timer: EventLoop.TimerID?

    public init(_ loop: EventLoop, _ log: Log) {
        self.loop = loop
        self.log = log
    }

    /// Whether to write a line. To be called once for each line.
    public func takes(_ kind: Kind) -> Bool {
        guard self.log.takes(kind.level) else { return false }
        self.writeRests(until: self.loop.now)
        defer { if self.timer == nil { self.setTimer() } }
        return self.lines.takes(kind, orAs: kind.general, at: self.loop.now)
    }

    public func timerFired() {
        self.timer = nil
        self.writeRests(until: self.loop.now)
        self.setTimer()
    }

    /// Reports all that is left.
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
