internal import Configuration
package import Sessions
internal import System
package import WebSocketProtocol

/// What one worker counts: plain numbers, confined to its thread.
///
/// Nothing is counted per message. Each session has a tally of its own anyway: that of an ended one is added here, those of live
/// ones are when somebody asks.
package final class WorkerMetrics {
    package private(set) var counts = MetricsSnapshot()

    package init() {}

    /// A connection came in on the listener of that address.
    package func accepted(listener: String) { self.counts.connections[listener, default: 0] += 1 }

    /// A client's TLS handshake is complete.
    package func tlsHandshake(version: String, resumed: Bool) {
        self.counts.tlsHandshakes[.init(version: version, wasResumed: resumed), default: 0] += 1
    }

    /// A step of a TLS handshake, of a client or with a backend, had to wait for its turn.
    package func handshakeWaited(_ waited: Duration) { self.counts.handshakeWaitSeconds.observe(waited) }

    /// A client has its 101.
    ///
    /// - Parameter handshake: how long that took since it was accepted.
    package func sessionOpened(route: String, backend: String, handshake: Duration) {
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
    package func sessionEnded(
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
    package func refused(route: String?, status: Int) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.refused(status), default: 0] += 1 }
    }

    /// A client went before there was anything to answer.
    package func abandoned(route: String?) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.abandoned, default: 0] += 1 }
    }

    /// A connection that had sent no request made room for another.
    package func evicted() { self.update(MetricsSnapshot.noRoute) { $0.handshakes[.evicted, default: 0] += 1 } }

    /// A ping of ours was answered.
    package func pinged(_ leg: Leg, _ roundTrip: Duration) { self.counts.pingSeconds[leg].observe(roundTrip) }

    private func update(_ route: String, _ change: (inout MetricsSnapshot.Route) -> Void) {
        change(&self.counts.routes[route, default: .init()])
    }
}
