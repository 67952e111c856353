internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What one worker counts: plain numbers, confined to its thread.
///
/// Nothing is counted per message. Each session has a tally of its own anyway: that of an ended one is added here, those of live
/// ones are when somebody asks.
final class WorkerMetrics {
    private var counts = MetricsSnapshot()

    /// A connection came in on the listener of that address.
    func accepted(listener: String) { self.counts.connections[listener, default: 0] += 1 }

    /// A client's TLS handshake is complete.
    func tlsHandshake(version: String, resumed: Bool) {
        self.counts.tlsHandshakes[.init(version: version, wasResumed: resumed), default: 0] += 1
    }

    /// A step of a TLS handshake, of a client or with a backend, had to wait for its turn.
    func handshakeWaited(_ waited: Duration) { self.counts.handshakeWaitSeconds.observe(waited) }

    /// A client has its 101.
    ///
    /// - Parameter handshake: how long that took since it was accepted.
    func sessionOpened(route: String, backend: String, handshake: Duration) {
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
    func sessionEnded(
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
    func refused(route: String?, status: Int) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.refused(status), default: 0] += 1 }
    }

    /// A client went before there was anything to answer.
    func abandoned(route: String?) {
        self.update(route ?? MetricsSnapshot.noRoute) { $0.handshakes[.abandoned, default: 0] += 1 }
    }

    /// A connection that had sent no request made room for another.
    func evicted() { self.update(MetricsSnapshot.noRoute) { $0.handshakes[.evicted, default: 0] += 1 } }

    /// A ping of ours was answered.
    func pinged(_ leg: Leg, _ roundTrip: Duration) { self.counts.pingSeconds[leg].observe(roundTrip) }

    /// What was counted so far, with the messages of these sessions.
    ///
    /// - Parameters:
    ///   - turns: of the worker's loop.
    ///   - handshakesWaiting: how many steps of TLS handshakes wait for their turn.
    func snapshot(
        of live: some Sequence<Session>, _ memory: MemoryAccount, turns: TurnTimes, handshakesWaiting: Int
    ) -> MetricsSnapshot {
        var snapshot = self.counts
        snapshot.memory = [.queued: memory.queued, .assembled: memory.assembled]
        snapshot.loopTurns = turns
        snapshot.handshakesWaiting = handshakesWaiting
        for session in live {
            for leg in [Leg.client, .backend] { snapshot.queueBytes += session.connection(leg)?.queuedBytes ?? 0 }
            guard let conversation = session.conversation, let route = session.route else { continue }
            snapshot.routes[route.settings.name, default: .init()].add(conversation.tally)
        }
        return snapshot
    }

    private func update(_ route: String, _ change: (inout MetricsSnapshot.Route) -> Void) {
        change(&self.counts.routes[route, default: .init()])
    }
}

// MARK: - What a session counts

extension Session {
    func countOpened() {
        guard let route = self.route, let backend = route.backend else { return }
        self.worker.metrics.sessionOpened(
            route: route.settings.name, backend: backend.name, handshake: self.worker.loop.now - self.began)
    }

    func countEnded(_ conversation: any Conversation) {
        guard let route = self.route, let backend = route.backend else { return }
        let closing = self.machine.closing
        self.worker.metrics.sessionEnded(
            route: route.settings.name, backend: backend.name,
            cause: (closing.ending ?? .byGateway(.internalError)).cause, code: closing.code,
            lasted: self.worker.loop.now - self.began, tally: conversation.tally)
    }
}
