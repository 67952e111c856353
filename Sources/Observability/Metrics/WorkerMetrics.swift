internal import Configuration
public import Sessions
internal import System
public import WebSocketProtocol

/// What one worker counts: plain numbers, confined to its thread.
///
/// Nothing is counted per message. Each session has a tally of its own anyway: that of an ended one is added here, those of live
/// ones are when somebody asks.
public final class WorkerMetrics {
    public private(set) var counts = MetricsSnapshot()

    public init() {}

    /// A connection came in on the listener of that address.
    public func accepted(listener: String) { self.counts.connections[listener, default: 0] += 1 }

    /// A client's TLS handshake is complete.
    public func tlsHandshake(version: String, resumed: Bool) {
        self.counts.tlsHandshakes[.init(version: version, wasResumed: resumed), default: 0] += 1
    }

    /// A step of a TLS handshake, of a client or with a backend, had to wait for its turn.
    public func handshakeWaited(_ waited: Duration) { self.counts.handshakeWaitSeconds.observe(waited) }

    /// A client has its 101.
    ///
    /// - Parameter handshake: how long that took since it was accepted.
    public func sessionOpened(route: String, backend: String, handshake: Duration) {
        self.update(route) { route in
            route.handshakes[.accepted, default: 0] += 1
            route.sessions[backend, default: .init()].began()
        }
        self.counts.handshakeSeconds.observe(handshake)
    }

    /// A session that was opened has ended.
    ///
    /// - Parameters:
    ///   - code: of the Close that the client sent or was sent.
    ///   - lasted: since its connection was accepted.
    ///   - tally: what came from each leg.
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

    /// A client was turned away with an answer.
    ///
    /// - Parameter route: `nil`: there was none yet.
    public func refused(route: String?, status: Int) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.refused(status), default: 0] += 1 }
    }

    /// A client went before there was anything to answer.
    public func abandoned(route: String?) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.abandoned, default: 0] += 1 }
    }

    /// A connection that had sent no request made room for another.
    public func evicted() { self.update(MetricsSnapshot.noRoute) { $0.handshakes[.evicted, default: 0] += 1 } }

    /// A ping of ours was answered.
    public func pinged(_ leg: Leg, _ roundTrip: Duration) { self.counts.pingSeconds[leg].observe(roundTrip) }

    private func update(_ route: String, _ change: (inout MetricsSnapshot.Route) -> Void) {
        change(&self.counts.routes[route, default: .init()])
    }
}
