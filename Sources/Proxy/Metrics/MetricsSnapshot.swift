internal import Sessions
internal import System
internal import WebSocketProtocol

/// What was counted up to some moment: by one worker, or by all of them together.
///
/// By the names of routes, so that it goes on when a reload makes new objects for them.
package struct MetricsSnapshot: Sendable {
    /// What came of an opening handshake.
    enum HandshakeResult: Hashable, Sendable {
        case accepted
        /// The status it was answered with.
        case refused(Int)
        /// The client went, or did not get through TLS, before there was anything to answer.
        case abandoned
        /// It had sent no request for a while, and made room for others.
        case evicted

        var label: String {
            switch self {
            case .accepted: "accepted"
            case .refused(let status): String(status)
            case .abandoned: "abandoned"
            case .evicted: "evicted"
            }
        }
    }

    struct Close: Hashable, Sendable {
        let cause: Cause
        /// As `CloseCode.label`, or `none`.
        let code: String
    }

    struct TLSHandshake: Hashable, Sendable {
        let version: String
        let wasResumed: Bool
    }

    struct Sessions: Equatable, Sendable {
        var open = 0
        var total: UInt64 = 0

        mutating func began() {
            self.open += 1
            self.total += 1
        }
    }

    struct Route: Sendable {
        /// By the name of the backend, which can change with a reload.
        var sessions: [String: Sessions] = [:]
        var handshakes: [HandshakeResult: UInt64] = [:]
        var closes: [Close: UInt64] = [:]
        /// What came from each leg.
        var tally = PerLeg(client: MessageTally(), backend: MessageTally())
    }

    /// Stands for the route where a connection did not get as far as one.
    static let noRoute = "-"

    var routes: [String: Route] = [:]
    var handshakeSeconds = Histogram.ofHandshakes
    /// How long steps of TLS handshakes waited for their turn.
    var handshakeWaitSeconds = Histogram.ofHandshakes
    /// Steps that wait for it now.
    var handshakesWaiting = 0
    var sessionSeconds = Histogram.ofSessions
    var pingSeconds = PerLeg(client: Histogram.ofPings, backend: Histogram.ofPings)
    /// Bytes that wait in queues for peers to take them.
    var queueBytes = 0
    /// What is held of the memory that is bounded, in bytes.
    var memory: [MemoryKind: Int] = [:]
    /// How long the turns of the workers' loops took.
    var loopTurns = TurnTimes()
    var tlsHandshakes: [TLSHandshake: UInt64] = [:]
    /// By the listener's address.
    var connections: [String: UInt64] = [:]

    init() {}

    /// Nothing was counted yet for these routes: they are shown all the same, with zeros.
    init(_ routes: [(name: String, backend: String)]) {
        for (name, backend) in routes {
            self.routes[name, default: Route()].sessions[backend] = Sessions()
            self.routes[name]?.handshakes[.accepted] = 0
        }
    }

    /// The open sessions of each backend that has had any.
    var openByBackend: [String: Int] {
        var open: [String: Int] = [:]
        for route in self.routes.values {
            for (backend, sessions) in route.sessions { open[backend, default: 0] += sessions.open }
        }
        return open
    }

    /// Adds what another worker counted.
    package mutating func add(_ other: MetricsSnapshot) {
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
    mutating func add(_ other: Self) {
        for (backend, sessions) in other.sessions {
            self.sessions[backend, default: .init()].open += sessions.open
            self.sessions[backend, default: .init()].total += sessions.total
        }
        self.handshakes.merge(other.handshakes, uniquingKeysWith: +)
        self.closes.merge(other.closes, uniquingKeysWith: +)
        self.add(other.tally)
    }

    /// Adds the messages of a session.
    mutating func add(_ tally: PerLeg<MessageTally>) {
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
