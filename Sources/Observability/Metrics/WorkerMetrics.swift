public import Configuration
public import Sessions
internal import System
public import WebSocketProtocol

/// What one worker counts. Only its thread uses it.
///
/// Nothing is counted here per message, because each session has a tally anyway. The tally is added when the session ends, or when
/// metrics are asked for.
public final class WorkerMetrics {
    /// The counts, without the tallies of live sessions.
    public private(set) var counts = MetricsSnapshot()

    /// Zeros.
    public init() {}

    /// A listener at this address accepted a connection.
    public func accepted(listener: String) { self.counts.connections[listener, default: 0] += 1 }

    /// A client's TLS handshake is complete.
    public func tlsHandshake(version: String, resumed: Bool) {
        self.counts.tlsHandshakes[.init(version: version, wasResumed: resumed), default: 0] += 1
    }

    /// A step of a TLS handshake, with a client or a backend, waited for its turn.
    public func handshakeWaited(_ waited: Duration) { self.counts.handshakeWaitSeconds.observe(waited) }

    /// A client got its 101.
    ///
    /// - Parameter handshake: the time since the connection was accepted.
    public func sessionOpened(route: String, backend: String, handshake: Duration) {
        self.update(route) { route in
            route.handshakes[.accepted, default: 0] += 1
            route.sessions[backend, default: .init()].began()
        }
        self.counts.handshakeSeconds.observe(handshake)
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
        self.counts.sessionSeconds.observe(lasted)
    }

    /// A plain request is passed to a backend.
    public func requestBegan(route: String) { self.update(route) { $0.requests.open += 1 } }

    /// The head of an answer came.
    ///
    /// - Parameter time: since the request began.
    public func requestAnswered(route: String, after time: Duration) {
        self.update(route) { $0.requests.seconds.observe(time) }
    }

    /// A request that was passed to a backend is over.
    ///
    /// - Parameters:
    ///   - route: the name; `nil` if the request has no route.
    ///   - status: of its answer; `nil` if there was none.
    public func requestEnded(route: String?, status: Int?) {
        self.update(route ?? MetricsSnapshot.noRoute) {
            $0.requests.open -= 1
            $0.requests.total[(status ?? 0) / 100, default: 0] += 1
        }
    }

    /// The gateway answered a plain request itself.
    ///
    /// - Parameter time: since the request began.
    public func requestServed(route: String?, status: Int, after time: Duration) {
        let route = route ?? MetricsSnapshot.noRoute
        self.requestBegan(route: route)
        self.requestAnswered(route: route, after: time)
        self.requestEnded(route: route, status: status)
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
    public func pingAnswered(_ leg: Leg, _ roundTrip: Duration) { self.counts.pingSeconds[leg].observe(roundTrip) }

    private func update(_ route: String, _ change: (inout MetricsSnapshot.Route) -> Void) {
        change(&self.counts.routes[route, default: .init()])
    }
}
