public import Sessions
public import System
public import WebSocketProtocol

/// What was counted so far, by one worker or by all of them together.
///
/// Routes are told apart by name, so that counts go on when a reload makes new objects for them.
public struct MetricsSnapshot: Sendable {
    /// The result of an opening handshake.
    public enum HandshakeResult: Hashable, Sendable {
        case accepted
        /// The status of the answer.
        case refused(Int)
        /// The client went away, or its TLS handshake failed, before there was a request to answer.
        case abandoned
        /// It had sent no request for a while, and was closed to make room for others.
        case evicted

        public var label: String {
            switch self {
            case .accepted: "accepted"
            case .refused(let status): String(status)
            case .abandoned: "abandoned"
            case .evicted: "evicted"
            }
        }
    }

    public struct Close: Hashable, Sendable {
        public let cause: Cause
        /// As `CloseCode.label`, or `none`.
        public let code: String

        public init(cause: Cause, code: String) {
            self.cause = cause
            self.code = code
        }
    }

    public struct TLSHandshake: Hashable, Sendable {
        public let version: String
        public let wasResumed: Bool

        public init(version: String, wasResumed: Bool) {
            self.version = version
            self.wasResumed = wasResumed
        }
    }

    public struct Sessions: Equatable, Sendable {
        public var open = 0
        public var total: UInt64 = 0

        public init() {}

        public mutating func began() {
            self.open += 1
            self.total += 1
        }
    }

    public struct Route: Sendable {
        /// By the name of the backend, which a reload can change.
        public var sessions: [String: Sessions] = [:]
        public var handshakes: [HandshakeResult: UInt64] = [:]
        public var closes: [Close: UInt64] = [:]
        /// What came from each leg.
        public var tally = PerLeg(client: MessageTally(), backend: MessageTally())

        public init() {}
    }

    /// The name of the route of connections that did not get as far as one.
    public static let noRoute = "-"

    public var routes: [String: Route] = [:]
    public var handshakeSeconds = Histogram.ofHandshakes
    /// How long steps of TLS handshakes waited for their turn.
    public var handshakeWaitSeconds = Histogram.ofHandshakes
    /// Steps that wait now.
    public var handshakesWaiting = 0
    public var sessionSeconds = Histogram.ofSessions
    public var pingSeconds = PerLeg(client: Histogram.ofPings, backend: Histogram.ofPings)
    /// Bytes that wait in queues for peers to take them.
    public var queueBytes = 0
    /// Bounded memory that is in use, in bytes.
    public var memory: [MemoryKind: Int] = [:]
    /// How long the turns of the workers' loops took.
    public var loopTurns = TurnTimes()
    public var tlsHandshakes: [TLSHandshake: UInt64] = [:]
    /// By the listener's address.
    public var connections: [String: UInt64] = [:]

    public init() {}

    /// Starts with zeros for these routes, so that a scrape shows them before anything is counted.
    public init(_ routes: [(name: String, backend: String)]) {
        for (name, backend) in routes {
            self.routes[name, default: Route()].sessions[backend] = Sessions()
            self.routes[name]?.handshakes[.accepted] = 0
        }
    }

    /// The open sessions of each backend that ever had one.
    public var openByBackend: [String: Int] {
        var open: [String: Int] = [:]
        for route in self.routes.values {
            for (backend, sessions) in route.sessions { open[backend, default: 0] += sessions.open }
        }
        return open
    }

    /// Adds what another worker counted.
    public mutating func add(_ other: MetricsSnapshot) {
        for (name, route) in other.routes { self.routes[name, default: Route()].add(route) }
        self.handshakeSeconds.add(other.handshakeSeconds)
        self.handshakeWaitSeconds.add(other.handshakeWaitSeconds)
        self.handshakesWaiting += other.handshakesWaiting
        self.sessionSeconds.add(other.sessionSeconds)
        self.pingSeconds.client.add(other.pingSeconds.client)
        self.pingSeconds.backend.add(other.pingSeconds.backend)
        self.queueBytes += other.queueBytes
        self.memory.merge(other.memory, uniquingKeysWith: +)
        self.loopTurns.add(other.loopTurns)
        self.tlsHandshakes.merge(other.tlsHandshakes, uniquingKeysWith: +)
        self.connections.merge(other.connections, uniquingKeysWith: +)
    }
}

extension MetricsSnapshot.Route {
    public mutating func add(_ other: Self) {
        for (backend, sessions) in other.sessions {
            self.sessions[backend, default: .init()].open += sessions.open
            self.sessions[backend, default: .init()].total += sessions.total
        }
        self.handshakes.merge(other.handshakes, uniquingKeysWith: +)
        self.closes.merge(other.closes, uniquingKeysWith: +)
        self.add(other.tally)
    }

    /// Adds the messages of a session.
    public mutating func add(_ tally: PerLeg<MessageTally>) {
        self.tally.client.add(tally.client)
        self.tally.backend.add(tally.backend)
    }
}

extension MessageTally {
    fileprivate mutating func add(_ other: MessageTally) {
        self.text += other.text
        self.binary += other.binary
        self.payloadBytes += other.payloadBytes
    }
}
