internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Sessions
internal import Synchronization
internal import System
internal import TLS
internal import WebSocketProtocol

/// One client connection from accept to closed, with both its legs: the shell that acts.
///
/// `SessionMachine` decides what becomes of it. Here it is told what happened, and done what it says: in this file for the life of the
/// connections, in `Session+Opening` up to the 101, in `Session+Backend` for the other leg, and in `Session+Closing` to the end of both.
/// `Session+Reading` has what comes from the legs; what it means after the 101 is up to a `Conversation`.
final class Session: ConnectionOwner, TimerHandler {
    let id = SessionID.random()
    let context: SessionContext
    /// The worker's: at hand, because it is told of every read.
    let loop: EventLoop
    let listener: Listener
    let clientAddress: SocketAddress
    let began: MonotonicInstant
    var machine: SessionMachine
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
    /// How the legs get on, while the session closes. Asked for with every read, it says that the session is open.
    var closing: SessionClosing?
    private var timer: EventLoop.TimerID?
    /// What the timer waits for while the session is open.
    var deadlines: SessionDeadlines

    init(_ descriptor: Int32, _ address: SocketAddress, listener: Listener, _ context: SessionContext) throws {
        self.context = context
        self.loop = context.loop
        self.listener = listener
        self.clientAddress = address
        self.began = context.loop.now
        self.deadlines = SessionDeadlines(began: context.loop.now, openedAt: context.loop.now)
        self.legs = PerLeg(client: SessionLeg(at: context.loop.now), backend: SessionLeg(at: context.loop.now))
        self.machine = SessionMachine(hasTLS: listener.tlsContext != nil)
        self.opening = Opening(context.configuration)
        let tls = try listener.tlsContext?.makeConnection()
        self.client = try Connection(
            descriptor, address, tag: Leg.client.tag, tls: tls, owner: self, context.connections)
        self.setDeadline(after: context.configuration.shared.longestHandshake)
    }

    func connection(_ leg: Leg) -> Connection? { leg == .client ? self.client : self.backend }

    /// The word for how far the session has come, for the log and for tables.
    var phase: Phase { self.machine.phase }

    /// The client has its 101, and nothing has ended the session yet.
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
        switch (self.machine.state, connection.leg) {
        case (.tlsHandshake, .client): self.tlsHandshake()
        case (.requestHead, .client): if !self.joinsLine(connection, readiness) { self.requestHead() }
        case (.connecting, .backend): self.opening?.connector?.shakeHands()
        case (.backendHandshake, .backend): self.backendHandshake()
        case (.choosing, .client), (.connecting, .client), (.backendHandshake, .client):
            // The client waits for its 101; all it can do meanwhile that concerns us is to leave.
            if readiness.isEnded { self.handle(.clientLeft) }
        case (.answering, _), (.conversing, _): self.converse(connection, readiness)
        case (.ending, _), (.closed, _), (.tlsHandshake, .backend), (.requestHead, .backend), (.choosing, .backend):
            break
        }
    }

    private func converse(_ connection: Connection, _ readiness: Readiness) {
        // What is in line for more than its share does not get a second one for every packet that comes meanwhile.
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

    /// Beginning or ending a session costs what many messages do: in a crowd that comes, or leaves, all at once it waits for those.
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

    /// Calls `timerFired` once, that much later. A session has one timer: setting it anew replaces the old deadline.
    func setDeadline(after duration: Duration) {
        self.loop.setTimer(&self.timer, at: self.loop.now + duration, self)
    }

    func setDeadline(at instant: MonotonicInstant) { self.loop.setTimer(&self.timer, at: instant, self) }

    func clearDeadline() { self.loop.cancelTimer(&self.timer) }

    // MARK: - Conversation

    /// The backend's leg stands.
    func attach(backend: Connection) {
        self.backend = backend
        self.legs.backend = SessionLeg(at: self.loop.now)
        // What it had to say in its TLS handshake may be queued.
        self.noteHolding()
    }

    /// The backend's leg is closed, and another one may follow.
    func closeBackend() {
        self.backend?.close(abruptly: true)
        self.backend = nil
    }

    /// The client has its 101: from now on `conversation` says what is done.
    ///
    /// - Parameters:
    ///   - early: what each leg sent behind its part of the opening handshake.
    func begin(_ conversation: any Conversation, early: PerLeg<[UInt8]>) {
        let configuration = self.opening?.configuration
        self.opening = nil
        self.conversation = conversation
        self.loop.budget.spend(Work.opening)
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
        if let configuration, configuration !== self.context.configuration {
            // The reload did not count it among the sessions that it drains.
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
        // Whatever the other leg was not read for, nothing waits for it now.
        if self.closing != nil {
            self.conversation?.follow(self.machine.closing)
            self.readOn(leg.other)
        }
    }

    func closeLegs() {
        self.closeLeg(.client)
        self.closeLeg(.backend)
    }

    /// Both connections are closed.
    private func end() {
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
        self.context.owner?.ended(self)
    }

    /// The gateway ends the session.
    func close(_ ending: Ending) {
        guard let conversation = self.conversation else { return self.handle(.ordered(ending.cause)) }
        guard self.isOpen else { return }
        conversation.sendGathered()
        self.act(on: self.machine.close(ending, conversation.places))
    }
}
