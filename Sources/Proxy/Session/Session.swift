internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Sessions
internal import Synchronization
internal import System
internal import TLS
internal import WebSocketProtocol

/// One client connection from accept to close, with both its legs: the shell that acts.
///
/// This file has the life of the connections, and `Session+Reading` what comes from them; `Session+Opening` takes the session to its
/// 101, `Session+Backend` connects the other leg, and `Session+Closing` sees both to their ends. What is said after the 101 is up to a
/// `Conversation`, which decides without I/O where it can.
final class Session: ConnectionOwner, TimerHandler {
    /// How far a leg's connection has come.
    enum Stage {
        case absent
        case open
        /// Its peer's side has ended. What is left for it still goes out.
        case ended
        case closed
    }

    let id = SessionID.random()
    /// It owns the session until that ends.
    let worker: Worker
    /// The worker's: at hand, because it is told of every read.
    let loop: EventLoop
    let listener: Listener
    let clientAddress: SocketAddress
    let began: MonotonicInstant
    var phase: Phase
    /// The worker's: its place among those that have not sent a whole request head yet. Here it takes no memory.
    var newcomer = Newcomers<Session>.Place.none
    /// What is only needed until the conversation begins.
    var opening: Opening? {
        didSet {
            guard self.opening == nil else { return }
            oldValue?.connector = nil
            self.assembles(0)
        }
    }
    private(set) var conversation: (any Conversation)?
    /// Known once the request was admitted. A reload that leaves the session alone puts the route's new form in place.
    var route: Route?
    /// Where the backend's leg leads, or is to lead. It counts the session as its own.
    var endpoint: Endpoint? {
        willSet {
            self.endpoint?.sessions.subtract(1, ordering: .relaxed)
            newValue?.sessions.add(1, ordering: .relaxed)
        }
    }
    var summary = SessionSummary()
    var memory = SessionMemory()

    /// What is known of the legs beside their connections.
    var legs: PerLeg<SessionLeg>
    private(set) var client: Connection?
    private(set) var backend: Connection?
    /// Written by those who read and end the legs.
    var stages = PerLeg(client: Stage.open, backend: Stage.absent)
    /// How the legs get on, while the session closes.
    var closing: SessionClosing?
    private var timer: EventLoop.TimerID?
    /// What the timer waits for while the session is open.
    var deadlines: SessionDeadlines

    init(_ descriptor: Int32, _ address: SocketAddress, listener: Listener, worker: Worker) throws {
        self.worker = worker
        self.loop = worker.loop
        self.listener = listener
        self.clientAddress = address
        self.began = worker.loop.now
        self.deadlines = SessionDeadlines(began: worker.loop.now, openedAt: worker.loop.now)
        self.legs = PerLeg(client: SessionLeg(at: worker.loop.now), backend: SessionLeg(at: worker.loop.now))
        self.phase = listener.tlsContext == nil ? .requestHead : .tlsHandshake
        self.opening = Opening(worker.runtime)
        let tls = try listener.tlsContext?.makeConnection()
        self.client = try Connection(descriptor, address, tag: Leg.client.tag, tls: tls, owner: self, worker.context)
        self.setDeadline(after: worker.runtime.shared.longestHandshake)
    }

    func connection(_ leg: Leg) -> Connection? { leg == .client ? self.client : self.backend }

    // MARK: - Events

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch (self.phase, connection.leg) {
        case (.tlsHandshake, .client): self.tlsHandshake()
        case (.requestHead, .client): if !self.joinsLine(connection, readiness) { self.requestHead() }
        case (.connect, .backend): self.opening?.connector?.shakeHands()
        case (.backendHandshake, .backend): self.backendHandshake()
        case (.connect, .client), (.backendHandshake, .client):
            // The client waits for its 101; all it can do meanwhile that concerns us is to leave.
            if readiness.isEnded { self.abandonOpening() }
        case (.closed, _): break
        case (.relay, _), (.bridge, _), (.serve, _), (.closing, _), (.tlsHandshake, .backend), (.requestHead, .backend):
            self.converse(connection, readiness)
        }
    }

    private func converse(_ connection: Connection, _ readiness: Readiness) {
        // What is in line for more than its share does not get a second one for every packet that comes meanwhile.
        let isItsTurn = readiness.isNone || !connection.isScheduled
        if connection.hasFlushed { self.flushed(connection) }
        if readiness.isEnded, case .open = self.stages[connection.leg], self.joinsLine(connection, readiness) { return }
        if readiness.isNone, connection.leg == .client { self.conversation?.continued() }
        if isItsTurn { self.pump(connection) }
        if self.phase == .closing { self.settle(connection) }
    }

    @inline(never)
    private func flushed(_ connection: Connection) {
        if !connection.hasUntaken { self.legs[connection.leg].heartbeat.flushed(at: self.loop.now) }
        if !self.isAboveLowWater(connection) { self.conversation?.drained(connection.leg) }
    }

    /// Crowds that come, or leave, all at once let those go first who have something to say: to begin or to end a session costs what many
    /// messages do.
    private func joinsLine(_ connection: Connection, _ readiness: Readiness) -> Bool {
        guard !readiness.isNone, self.loop.budget.isHalfSpent else { return false }
        connection.readAgainLater()
        return true
    }

    func timerFired() {
        self.timer = nil
        switch self.phase {
        case .tlsHandshake: self.abandon(because: "the client took too long for its TLS handshake")
        case .requestHead: self.refuse(.headTimeout)
        case .connect, .backendHandshake: self.openingTimedOut()
        case .relay, .bridge, .serve: self.checkDeadlines()
        case .closing: self.checkClosing()
        case .closed: break
        }
    }

    /// Calls `timerFired` once, that much later. A session has one timer: setting it anew replaces the old deadline.
    func setDeadline(after duration: Duration) {
        self.worker.loop.setTimer(&self.timer, at: self.worker.loop.now + duration, self)
    }

    func setDeadline(at instant: MonotonicInstant) { self.worker.loop.setTimer(&self.timer, at: instant, self) }

    func clearDeadline() { self.worker.loop.cancelTimer(&self.timer) }

    // MARK: - Conversation

    /// The backend's leg stands.
    func attach(backend: Connection) {
        self.backend = backend
        self.stages.backend = .open
        self.legs.backend = SessionLeg(at: self.loop.now)
    }

    /// The backend's leg was closed, and another one may follow.
    func detachBackend() {
        self.backend = nil
        self.stages.backend = .absent
    }

    /// The client has its 101: from now on `conversation` says what is done.
    ///
    /// - Parameters:
    ///   - early: what each leg sent behind its part of the opening handshake.
    func begin(_ conversation: any Conversation, early: PerLeg<[UInt8]>) {
        let runtime = self.opening?.runtime
        self.opening = nil
        self.conversation = conversation
        self.worker.loop.budget.spend(Work.opening)
        self.phase = conversation.phase
        self.logOpen()
        self.countOpened()
        self.beginDeadlines()
        // Its time may have been over before it was open.
        if self.isOpen { conversation.begin() }
        for leg in [Leg.backend, .client] {
            self.replay(early[leg], from: leg)
            self.pump(leg)
        }
        // Many sessions are opened and then wait: what the handshake needed serves the next one's.
        for leg in [Leg.backend, .client] { self.connection(leg)?.tls?.releaseBuffers() }
        if let runtime, runtime !== self.worker.runtime {
            let plan = self.worker.runtime.plan
            self.follow(plan)
            // Nobody counted it among those that the reload drains.
            if case .drains? = self.fate(under: plan) { self.close(.byGateway(.reload)) }
        }
        self.worker.opened(self)
    }

    private func replay(_ bytes: [UInt8], from leg: Leg) {
        var start = 0
        while start < bytes.count, self.phase != .closed {
            let end = min(start + ConnectionBuffers.readSize, bytes.count)
            let range = self.worker.context.buffers.place(bytes.span.extracting(start..<end))
            self.received(range, from: leg)
            start = end
        }
    }

    // MARK: - Ends

    /// Closes `leg`'s connection now.
    ///
    /// - Parameter abruptly: with a reset.
    func closeLeg(_ leg: Leg, abruptly: Bool = false) {
        if case .closed = self.stages[leg] { return }
        self.stages[leg] = .closed
        self.connection(leg)?.close(abruptly: abruptly)
        // Whatever the other leg was not read for, nobody waits for it now.
        if self.phase == .closing { self.readOn(leg.other) }
        self.endIfBothLegsHave()
    }

    func closeLegs() {
        self.closeLeg(.client)
        self.closeLeg(.backend)
    }

    private func endIfBothLegsHave() {
        guard case .closed = self.stages.client else { return }
        switch self.stages.backend {
        case .absent, .closed: self.end()
        case .open, .ended: break
        }
    }

    private func end() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.loop.budget.spend(Work.ending)
        self.clearDeadline()
        if self.legs.backend.heartbeat.isLate { self.backendIsLate(false) }
        if let conversation = self.conversation {
            self.logClose(conversation)
            self.countEnded(conversation)
        }
        self.conversation = nil
        self.opening = nil
        self.assembles(0)
        self.promises(0)
        self.closing = nil
        self.endpoint = nil
        self.client = nil
        self.backend = nil
        self.worker.ended(self)
    }

    /// Ends a session that has no conversation yet, without a word to the client.
    func abandon(because reason: String) {
        self.logAbandoned(reason)
        self.worker.metrics.abandoned(route: self.route?.settings.name)
        self.closeLegs()
    }

    /// Ends a connection that has sent no whole request head in all its time: a newer one needs its descriptor.
    func makeRoom() {
        switch self.phase {
        case .tlsHandshake, .requestHead:
            self.logEvicted()
            self.worker.metrics.evicted()
        // It has had an answer to what it did send.
        case .closing: break
        case .connect, .backendHandshake, .relay, .bridge, .serve, .closed: return
        }
        self.closeLegs()
    }

    /// We end the session.
    func close(_ ending: Ending) {
        switch self.phase {
        case .tlsHandshake: self.abandon(because: ending.cause.rawValue)
        case .requestHead, .connect, .backendHandshake: self.refuse(.draining(routeIndex: nil))
        case .relay, .bridge, .serve: self.conversation?.close(ending)
        case .closing, .closed: break
        }
    }
}
