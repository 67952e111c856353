public import Configuration
public import Sessions
internal import System
public import WebSocketProtocol

/// What one worker counts. Only its thread uses it.
///
/// Nothing is counted here per message, because each session has a tally anyway. The tally is added when the session ends, or when
/// metrics are asked for.
public final class WorkerMetrics {
    /// The counts, without those of `requests`.
    private var counted = MetricsSnapshot()
    /// By the name of the route.
    private var requests: [String: RouteRequests] = [:]

    /// Zeros.
    public init() {}

    /// The counts, without the tallies of live sessions.
    public var counts: MetricsSnapshot {
        var counts = self.counted
        for (route, requests) in self.requests {
            counts.routes[route, default: .init()].requests = requests.counts
        }
        return counts
    }

    /// What a dashboard shows of the counts, without the tallies of live sessions.
    public var activity: ActivityTotals {
        var activity = ActivityTotals()
        for route in self.counted.routes.values {
            for sessions in route.sessions.values {
                activity.sessions += sessions.open
                activity.opens += sessions.total
            }
            for (close, count) in route.closes { activity.closes[close.cause, default: 0] += count }
            for case (.refused(let status), let count) in route.handshakes {
                activity.refusals[status, default: 0] += count
            }
            activity.add(route.tally)
        }
        return activity
    }

    /// A listener at this address accepted a connection.
    public func accepted(listener: String) { self.counted.connections[listener, default: 0] += 1 }

    /// A client's TLS handshake is complete.
    public func tlsHandshake(version: String, resumed: Bool) {
        self.counted.tlsHandshakes[.init(version: version, wasResumed: resumed), default: 0] += 1
    }

    /// A step of a TLS handshake, with a client or a backend, waited for its turn.
    public func handshakeWaited(_ waited: Duration) { self.counted.handshakeWaitSeconds.observe(waited) }

    /// A client got its 101.
    ///
    /// - Parameter handshake: the time since the connection was accepted.
    public func sessionOpened(route: String, backend: String, handshake: Duration) {
        self.update(route) { route in
            route.handshakes[.accepted, default: 0] += 1
            route.sessions[backend, default: .init()].began()
        }
        self.counted.handshakeSeconds.observe(handshake)
    }

    /// An open session has ended.
    ///
    /// - Parameters:
    /// - code: the code of the Close that the client sent or received.
    /// - lasted: the time since the connection was accepted.
    /// - tally: what each leg has sent.
    public func sessionEnded(
        route: String, backend: String, cause: Cause, code: CloseCode?, lasted: Duration, tally: PerLeg<MessageTally>
    ) {
        self.update(route) { route in
            route.sessions[backend, default: .init()].open -= 1
            route.closes[.init(cause: cause, code: code?.label ?? "none"), default: 0] += 1
            route.add(tally)
        }
        self.counted.sessionSeconds.observe(lasted)
    }

    /// The counts of a route's plain requests.
    ///
    /// - Parameter route: the name; `nil` if a request has no route.
    public func requests(of route: String?) -> RouteRequests {
        let route = route ?? MetricsSnapshot.noRoute
        if let known = self.requests[route] { return known }
        let new = RouteRequests()
        self.requests[route] = new
        return new
    }

    /// The gateway answered a plain request itself.
    ///
    /// - Parameter time: since the request began.
    public func requestServed(route: String?, status: Int, after time: Duration) {
        let requests = self.requests(of: route)
        requests.began()
        requests.answered(after: time)
        requests.ended(status: status)
    }

    /// A client was refused.
    ///
    /// - Parameter route: the name; `nil` if no route was found yet.
    public func refused(route: String?, status: Int) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.refused(status), default: 0] += 1 }
    }

    /// A client left before there was anything to answer.
    public func abandoned(route: String?) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.abandoned, default: 0] += 1 }
    }

    /// A connection without a request was closed to make room for another.
    public func evicted() { self.update(MetricsSnapshot.noRoute) { $0.handshakes[.evicted, default: 0] += 1 } }

    /// A connection was closed before it could say anything that is answered.
    public func turnedAway(_ why: MetricsSnapshot.HandshakeResult) {
        self.update(MetricsSnapshot.noRoute) { $0.handshakes[why, default: 0] += 1 }
    }

    /// A limit was reached.
    ///
    /// - Parameter route: the name; `nil` if no route was found yet.
    public func reached(_ limit: ReachedLimit, route: String?) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.limits[limit, default: 0] += 1 }
    }

    /// Messages for members of a room that read too slowly were left out.
    public func dropped(_ messages: UInt64, route: String) { self.update(route) { $0.dropped += messages } }

    /// A ping of the gateway was answered.
    public func pingAnswered(_ leg: Leg, _ roundTrip: Duration) { self.counted.pingSeconds[leg].observe(roundTrip) }

    private func update(_ route: String, _ change: (inout MetricsSnapshot.Route) -> Void) {
        change(&self.counted.routes[route, default: .init()])
    }
}
