public import Configuration
public import Sessions
public import System
public import WebSocketProtocol

/// What one worker has counted, or all workers together.
///
/// Routes are identified by name, so that counts go on when a reload replaces the route's object.
public struct MetricsSnapshot: Sendable {
    /// The result of an opening handshake.
    public enum HandshakeResult: Hashable, Sendable {
        case accepted
        /// - Parameter status: the status of the answer.
        case refused(Int)
        /// The client left before there was a request to answer, or its TLS handshake failed.
        case abandoned
        /// The client had sent no request for a while, and was closed to make room for others.
        case evicted
        /// The client's address had as many connections as it may; this one was closed at once.
        case tooMany
        /// The peer's address is not among those that the listener lets in.
        case notAllowed
        /// The listener demands a PROXY header, and the peer is no trusted proxy.
        case notTrusted
        /// A trusted proxy sent something else than a PROXY header.
        case badProxyHeader

        /// The value of the label `result`.
        public var label: String {
            switch self {
            case .accepted: "accepted"
            case .refused(let status): String(status)
            case .abandoned: "abandoned"
            case .evicted: "evicted"
            case .tooMany: "too-many"
            case .notAllowed: "not-allowed"
            case .notTrusted: "not-trusted"
            case .badProxyHeader: "bad-proxy-header"
            }
        }
    }

    /// What closed sessions are counted by.
    public struct Close: Hashable, Sendable {
        /// Why the session was closed.
        public let cause: Cause
        /// `CloseCode.label` of the client's Close, or `none`.
        public let code: String

        /// See the properties.
        public init(cause: Cause, code: String) {
            self.cause = cause
            self.code = code
        }
    }

    /// What TLS handshakes are counted by.
    public struct TLSHandshake: Hashable, Sendable {
        /// The version of TLS, such as `TLSv1.3`.
        public let version: String
        /// Whether it resumed an earlier session.
        public let wasResumed: Bool

        /// See the properties.
        public init(version: String, wasResumed: Bool) {
            self.version = version
            self.wasResumed = wasResumed
        }
    }

    /// The plain requests of a route that were passed to its backend, or answered.
    public struct Requests: Sendable {
        /// Requests in progress.
        public var open = 0
        /// By the first digit of the answer's status; 0 if there was none.
        public var total: [Int: UInt64] = [:]
        /// How long it took until the head of an answer came.
        public var seconds = Histogram.ofHandshakes
        /// Whether there were any.
        var isUsed: Bool { self.open > 0 || !self.total.isEmpty }

        /// Zeros.
        public init() {}
    }

    /// The sessions of a route with one backend.
    public struct Sessions: Equatable, Sendable {
        /// The number of sessions that are open or closing.
        public var open = 0
        /// The number of sessions that were opened.
        public var total: UInt64 = 0

        /// Zeros.
        public init() {}

        /// Counts a session that opens.
        public mutating func began() {
            self.open += 1
            self.total += 1
        }
    }

    /// The counts of one route.
    public struct Route: Sendable {
        /// By the name of the backend, which a reload can change.
        public var sessions: [String: Sessions] = [:]
        /// Opening handshakes by result.
        public var handshakes: [HandshakeResult: UInt64] = [:]
        /// Closed sessions by cause and code.
        public var closes: [Close: UInt64] = [:]
        /// How often each limit was reached.
        public var limits: [ReachedLimit: UInt64] = [:]
        /// How many messages slow members of rooms missed.
        public var dropped: UInt64 = 0
        /// Its plain requests.
        public var requests = Requests()
        /// Messages and bytes that each leg has sent in closed sessions.
        public var tally = PerLeg(client: MessageTally(), backend: MessageTally())

        /// Zeros.
        public init() {}
    }

    /// Stands for the route of connections that have none yet.
    public static let noRoute = "-"

    /// The counts of each route, by its name.
    public var routes: [String: Route] = [:]
    /// How long it took from a connection to its 101.
    public var handshakeSeconds = Histogram.ofHandshakes
    /// How long steps of TLS handshakes waited for their turn.
    public var handshakeWaitSeconds = Histogram.ofHandshakes
    /// The number of steps that wait now.
    public var handshakesWaiting = 0
    /// How long closed sessions lasted.
    public var sessionSeconds = Histogram.ofSessions
    /// Round trips of pings, by the leg that answered.
    public var pingSeconds = PerLeg(client: Histogram.ofPings, backend: Histogram.ofPings)
    /// Bytes in queues that peers have not accepted.
    public var queueBytes = 0
    /// The bounded memory in use, in bytes.
    public var memory: [MemoryKind: Int] = [:]
    /// How long the turns of the workers' loops took.
    public var loopTurns = TurnTimes()
    /// Complete TLS handshakes of clients.
    public var tlsHandshakes: [TLSHandshake: UInt64] = [:]
    /// Accepted connections, by the address of the listener.
    public var connections: [String: UInt64] = [:]

    /// Zeros, without routes.
    public init() {}

    /// Zeros for these routes, so that a scrape shows them before anything is counted.
    public init(_ routes: [(name: String, backend: String)]) {
        for (name, backend) in routes {
            self.routes[name, default: Route()].sessions[backend] = Sessions()
            self.routes[name]?.handshakes[.accepted] = 0
        }
    }

    /// The number of open sessions of each backend that has had one.
    public var openByBackend: [String: Int] {
        var open: [String: Int] = [:]
        for route in self.routes.values {
            for (backend, sessions) in route.sessions { open[backend, default: 0] += sessions.open }
        }
        return open
    }

    /// Adds the counts of another worker.
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
    /// Adds the counts of another worker.
    public mutating func add(_ other: Self) {
        for (backend, sessions) in other.sessions {
            self.sessions[backend, default: .init()].open += sessions.open
            self.sessions[backend, default: .init()].total += sessions.total
        }
        self.handshakes.merge(other.handshakes, uniquingKeysWith: +)
        self.closes.merge(other.closes, uniquingKeysWith: +)
        self.limits.merge(other.limits, uniquingKeysWith: +)
        self.dropped += other.dropped
        self.requests.add(other.requests)
        self.add(other.tally)
    }

    /// Adds the messages of a session.
    public mutating func add(_ tally: PerLeg<MessageTally>) {
        self.tally.client.add(tally.client)
        self.tally.backend.add(tally.backend)
    }
}

extension MetricsSnapshot.Requests {
    fileprivate mutating func add(_ other: Self) {
        self.open += other.open
        self.total.merge(other.total, uniquingKeysWith: +)
        self.seconds.add(other.seconds)
    }
}

extension MessageTally {
    fileprivate mutating func add(_ other: MessageTally) {
        self.text += other.text
        self.binary += other.binary
        self.payloadBytes += other.payloadBytes
    }
}

extension MetricsSnapshot {
    /// How often something was fetched.
    public struct Fetches: Sendable {
        /// Those with an answer that could be used.
        public var succeeded: UInt64 = 0
        /// Those without.
        public var failed: UInt64 = 0

        /// Zeros.
        public init() {}
    }

    /// The counts of the control thread.
    public struct Control: Sendable {
        /// Reloads that were applied, without dry runs.
        public var appliedReloads: UInt64 = 0
        /// Reloads that were refused, without dry runs.
        public var refusedReloads: UInt64 = 0
        /// How often the keys of URLs were fetched.
        public var keyFetches = Fetches()

        /// Zeros.
        public init() {}
    }
}
