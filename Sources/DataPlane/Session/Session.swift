internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Sessions
internal import Synchronization
internal import System
internal import TLS
internal import WebSocketProtocol

/// One session from its admitted request to closed, with both its legs: the shell that acts.
///
/// `SessionMachine` decides; this class tells it what happened and carries out its actions. Until the 101 the client's connection is its
/// `SessionClient`'s, which also sends the answer if there is no session. After it a `Conversation` handles the bytes.
///
/// This file has the life of the connections and their reading, `Session+Opening` what comes before the 101, `Session+Backend` the other
/// leg, `Session+Reading` what ends the bytes or holds them back, and `Session+Closing` the end of both legs.
final class Session: ConnectionOwner, TimerHandler, Closable {
    let id: SessionID
    let context: SessionContext
    /// The worker's. A copy, because every read needs it.
    let loop: EventLoop
    let clientAddress: SocketAddress
    /// When the client was accepted.
    let began: MonotonicInstant
    var machine: SessionMachine
    /// `nil` once the conversation has begun.
    private(set) var opening: Opening? {
        didSet { if self.opening == nil { oldValue?.connector = nil } }
    }
    /// `nil` until the 101. It is wrapped in another where its route limits rates, and while the session is tailed.
    var conversation: (any Conversation)?
    /// A reload that keeps the session replaces it by the route's new form.
    var route: Route?
    /// Where the backend's leg leads. While this is set, the endpoint counts the session.
    var endpoint: Endpoint? {
        willSet {
            self.endpoint?.sessions.subtract(1, ordering: .relaxed)
            newValue?.sessions.add(1, ordering: .relaxed)
        }
    }
    var summary: SessionSummary
    /// Where its client's connection is counted. The worker sets it.
    var addresses: AddressCounts?
    /// Where the session is counted; `nil` once it is over. The client's connection sets it.
    var seat: SessionSeat?
    var memory = SessionMemory()

    /// What is known of the legs besides their connections.
    var legs: PerLeg<SessionLeg>
    /// `nil` until the 101.
    private(set) var client: Connection?
    private(set) var backend: Connection?
    /// The state of a closing session's legs; `nil` while it is open, as every read checks.
    var closing: SessionClosing?
    private var timer: EventLoop.TimerID?
    /// What the timer waits for in an open session.
    var deadlines: SessionDeadlines

    /// A session for a request that was admitted. `start` begins to open it.
    ///
    /// - Parameters:
    ///   - subject: the client's name in the log.
    ///   - since: when the client was accepted, and when a byte last came from it.
    ///   - target: the endpoint that the request's token stands for; `nil` where endpoints are chosen.
    ///   - configuration: the configuration that admitted it, which `route` is of.
    init(
        for client: any SessionClient, of subject: LogSubject,
        since: (began: MonotonicInstant, lastByte: MonotonicInstant), _ admitted: Admitted, to route: Route,
        at target: Endpoint?, _ configuration: WorkerConfiguration, _ context: SessionContext
    ) {
        self.context = context
        self.loop = context.loop
        self.id = subject.id
        self.clientAddress = subject.address
        self.began = since.began
        self.route = route
        self.summary = subject.summary
        self.deadlines = SessionDeadlines(began: since.began, openedAt: context.loop.now)
        self.legs = PerLeg(client: SessionLeg(at: since.lastByte), backend: SessionLeg(at: since.began))
        self.machine = SessionMachine(route.settings.closeCodes)
        let placement = route.backend.map { admitted.placement(by: $0.placing, client: subject.clientName) }
        self.opening = Opening(client, configuration, admitted, placement ?? .any, target)
    }

    func connection(_ leg: Leg) -> Connection? { leg == .client ? self.client : self.backend }

    /// How far the session has come, for the log and tables.
    var phase: Phase { self.machine.phase }

    /// Whether the client has its 101, and nothing has ended the session yet.
    var isOpen: Bool { self.machine.isOpen }

    // MARK: - Events

    func ready(_ connection: Connection, _ readiness: Readiness) {
        if self.conversation == nil {
            self.readyWhileOpening(connection, readiness)
        } else {
            self.converse(connection, readiness)
        }
    }

    @inline(never)
    private func readyWhileOpening(_ connection: Connection, _ readiness: Readiness) {
        switch self.machine.state {
        case .connecting: self.opening?.connector?.shakeHands()
        case .backendHandshake: self.backendHandshake()
        case .choosing, .conversing, .closed: break
        }
    }

    private func converse(_ connection: Connection, _ readiness: Readiness) {
        // A connection that waits for its next turn does not get another one for each packet that comes meanwhile.
        let isItsTurn = readiness.isNone || !connection.isScheduled
        if connection.hasFlushed { self.flushed(connection) }
        if readiness.isEnded, !self.machine.closing.hasEnded(connection.leg), self.joinsLine(connection, readiness) {
            return
        }
        if readiness.isNone, connection.leg == .client { self.conversation?.continued() }
        if isItsTurn { self.pump(connection) }
        if self.closing != nil { self.settle(connection) }
    }

    @inline(never)
    private func flushed(_ connection: Connection) {
        if !connection.hasUntaken { self.legs[connection.leg].heartbeat.flushed(at: self.loop.now) }
        if !self.isAboveLowWater(connection) { self.conversation?.drained(connection.leg) }
    }

    /// Waits in line if the event begins or ends a session: each costs as much as many messages, so a crowd that comes or leaves at once
    /// must not delay those.
    private func joinsLine(_ connection: Connection, _ readiness: Readiness) -> Bool {
        guard !readiness.isNone, self.loop.budget.isHalfSpent else { return false }
        connection.readAgainLater()
        return true
    }

    func timerFired() {
        self.timer = nil
        if self.closing != nil {
            self.checkClosing()
        } else if self.isOpen {
            self.checkDeadlines()
        } else {
            self.handle(
                .timeOver(
                    isReadingRefusal: self.opening?.backendHandshake?.isReadingRefusal ?? false, self.handshakeClock))
        }
    }

    /// Calls `timerFired` once, after `duration`. A session has one timer: setting it again replaces the old deadline.
    func setDeadline(after duration: Duration) {
        self.loop.setTimer(&self.timer, at: self.loop.now + duration, self)
    }

    func setDeadline(at instant: MonotonicInstant) { self.loop.setTimer(&self.timer, at: instant, self) }

    func clearDeadline() { self.loop.cancelTimer(&self.timer) }

    // MARK: - Reading

    /// Reads what is there from `leg` and passes it on, as long as the session's share of the turn lasts, but at least once.
    func pump(_ leg: Leg) {
        if let connection = self.connection(leg) { self.pump(connection) }
    }

    func pump(_ connection: Connection) {
        let leg = connection.leg
        if self.closing != nil, self.machine.closing.hasEnded(leg) { return self.watchEnded(connection) }
        while connection.mayRead, !connection.isPaused, connection.isOpen {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(connection)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
                self.received(range, from: leg)
            case .incomplete: self.heard(connection)
            case .nothing: break
            case .end(let inOrder):
                return self.ended(connection, inOrder: inOrder)
            case .failed(let failure): return self.failed(connection, failure)
            }
            if self.loop.budget.isShareSpent { return self.readOnLater(connection) }
        }
    }

    private func readOnLater(_ connection: Connection) {
        if connection.mayRead, !connection.isPaused, connection.isOpen { connection.readAgainLater() }
    }

    /// Passes on what was received, or discards it.
    func received(_ range: Range<Int>, from leg: Leg) {
        if self.closing != nil { return self.receivedWhileClosing(range, from: leg) }
        self.conversation?.received(range, from: leg)
    }

    // MARK: - Conversation

    /// Takes the client's connection over, and what came behind the request: the 101 is sent next.
    func takeClient() -> (connection: Connection, early: [UInt8])? {
        guard let taken = self.opening?.client.open(self) else { return nil }
        self.client = taken.connection
        self.noteHolding()
        return taken
    }

    /// The backend's leg is connected.
    func attach(backend: Connection) {
        self.backend = backend
        self.legs.backend = SessionLeg(at: self.loop.now)
        // Output of its TLS handshake may be queued.
        self.noteHolding()
    }

    /// Gives the backend's leg away.
    func takeBackend() -> Connection? {
        defer { self.backend = nil }
        return self.backend
    }

    /// Closes the backend's leg; another may follow.
    func closeBackend() {
        self.backend?.close(abruptly: true)
        self.backend = nil
    }

    /// The client has its 101: `conversation` takes over.
    ///
    /// - Parameter early: what each leg sent after its part of the opening handshake.
    func begin(_ conversation: any Conversation, early: PerLeg<[UInt8]>) {
        let configuration = self.opening?.configuration
        self.opening = nil
        self.conversation = conversation
        self.beginTailsOfRoute()
        self.loop.budget.spend(Work.opening)
        self.logOpen()
        self.countOpened()
        self.beginDeadlines()
        self.summary.credential?.renewal?.begin(for: self)
        // The session's time may have been over before it was open.
        if self.isOpen { conversation.begin() }
        if self.route?.settings.limits.hasRates == true { self.followRates() }
        for leg in [Leg.backend, .client] {
            self.replay(early[leg], from: leg)
            self.pump(leg)
        }
        // Many sessions are opened and then idle: their handshake buffers serve the next ones.
        for leg in [Leg.backend, .client] { self.connection(leg)?.tls?.releaseBuffers() }
        if let configuration, configuration !== self.context.configuration {
            // The reload did not count this session among those that it drains.
            if let fate = self.fate(under: self.context.configuration.shared) {
                self.follow(fate)
                if case .drains = fate { self.close(.byGateway(.reload)) }
            }
        }
        self.context.owner?.opened(self)
    }

    private func replay(_ bytes: [UInt8], from leg: Leg) {
        var start = 0
        while start < bytes.count, self.conversation != nil {
            let end = min(start + ConnectionBuffers.readSize, bytes.count)
            let range = self.context.connections.buffers.place(bytes.span.extracting(start..<end))
            self.received(range, from: leg)
            start = end
        }
    }

    // MARK: - Ends

    /// Closes `leg`'s connection now.
    ///
    /// - Parameter abruptly: with a reset.
    func closeLeg(_ leg: Leg, abruptly: Bool = false) {
        guard self.machine.closing.isConnected(leg) else { return }
        let isOver = self.machine.closed(leg)
        self.connection(leg)?.close(abruptly: abruptly)
        if isOver { return self.end() }
        // The other leg may have been held back for this one.
        if self.closing != nil {
            self.conversation?.follow(self.machine.closing)
            self.readOn(leg.other)
        }
    }

    func closeLegs() {
        self.closeLeg(.client)
        self.closeLeg(.backend)
    }

    /// There will be no session: its client goes on without it.
    ///
    /// - Returns: `nil` if the opening is over already.
    func endOpening() -> (any SessionClient)? {
        guard let client = self.opening?.client else { return nil }
        self.closeBackend()
        self.end()
        return client
    }

    /// Both connections are closed, or the client's is not the session's.
    private func end() {
        self.clearDeadline()
        // Only a session with its client's connection is one of the worker's.
        let isWorkers = self.client != nil
        if self.legs.backend.heartbeat.isLate { self.backendIsLate(false) }
        if let conversation = self.conversation {
            self.loop.budget.spend(Work.ending)
            self.logClose(conversation)
            self.countEnded(conversation)
        }
        self.tailed?.ended()
        self.conversation = nil
        if self.opening?.waitsForPlace == true { self.context.services.stopAsking(self) }
        self.opening = nil
        self.assembles(0)
        self.promises(0)
        self.keepsWaiting(0)
        self.closing = nil
        self.summary.credential?.renewal?.end()
        self.seat?.leave()
        self.seat = nil
        self.endpoint = nil
        self.client = nil
        self.backend = nil
        if isWorkers { self.context.owner?.ended(self) }
    }

    /// The gateway ends the session.
    func close(_ ending: Ending) {
        guard let conversation = self.conversation else { return self.handle(.ordered(ending.cause)) }
        guard self.isOpen else { return }
        conversation.sendGathered()
        self.act(on: self.machine.close(ending, conversation.places))
    }
}
