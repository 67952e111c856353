internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// One client connection from accept to closed, or until an open session takes it over: the shell that acts.
///
/// `ClientMachine` decides; this class tells it what happened and carries out its actions. It has the TLS handshake, the request heads and
/// the gateway's own answers. A request that leads further has an `Exchange`, which tells what becomes of it.
///
/// This file has the life of the connection, `ClientConnection+Proxy` what a proxy in front says before TLS, `ClientConnection+Request` the
/// requests, and `ClientConnection+Answering` the answers and the end.
final class ClientConnection: ConnectionOwner, TimerHandler, Closable {
    /// The request's, and its session's. A new one for each request.
    private(set) var id = SessionID.random()
    let context: SessionContext
    let loop: EventLoop
    let listener: Listener
    /// The peer's, or the client's that a PROXY header names.
    var address: SocketAddress
    /// What the proxy in front says before TLS; `nil` where the listener has none.
    let proxy: Proxy?
    /// When the client was accepted, or its later request began.
    private(set) var began: MonotonicInstant
    private(set) var lastByte: MonotonicInstant
    unowned let owner: any ClientConnectionOwner
    var machine: ClientMachine
    /// Its place among the connections without a whole request head. The worker sets it.
    var newcomer = Newcomers<ClientConnection>.Place.none
    /// Where it is counted; `nil` if its address has no limit. The worker sets it.
    var addresses: AddressCounts?
    /// `nil` once the connection is closed, or handed over.
    private(set) var connection: Connection?
    /// The request head, while it is not whole.
    var request: PartialRequest
    /// What the client sent behind its request, without waiting for the answer.
    var early: [UInt8] = []
    /// The route of the request, once it has one.
    var route: Route?
    var summary = SessionSummary()
    /// The exchange in progress. A reference cycle that ends with it.
    var exchange: (any Exchange)?
    /// What passes plain requests on, once there was one.
    var relay: HTTPRelay?
    var memory = SessionMemory()
    /// How long the client is waited for; `nil` until it gets its last answer.
    var closing: Closing?
    /// Between two requests, when the client last had something of its answer to take, and how long that may take.
    private var answered: (at: MonotonicInstant, taking: Duration)
    private var timer: EventLoop.TimerID?

    /// - Throws: `SystemError` or `TLSError`; then the descriptor is still open.
    init(
        _ descriptor: Int32, _ address: SocketAddress, listener: Listener, _ context: SessionContext,
        for owner: any ClientConnectionOwner
    ) throws {
        self.context = context
        self.loop = context.loop
        self.listener = listener
        self.request = PartialRequest(listener.settings.limits)
        self.address = address
        self.began = context.loop.now
        self.lastByte = context.loop.now
        self.answered = (self.began, .zero)
        self.owner = owner
        self.proxy = listener.settings.proxyProtocol ? Proxy() : nil
        self.machine = ClientMachine(hasProxyHeader: self.proxy != nil, hasTLS: listener.tlsContext != nil)
        let tls = try listener.tlsContext?.makeConnection()
        self.connection = try Connection(
            descriptor, address, tag: Leg.client.tag, tls: tls, owner: self, context.connections)
        self.setDeadline(at: self.began + context.configuration.shared.longestHandshake)
    }

    /// How far the connection has come, for the log and tables.
    var phase: Phase { self.exchange?.phase ?? self.machine.phase }

    /// What the log lines begin with.
    var subject: LogSubject {
        LogSubject(id: self.id, address: self.address, summary: self.summary, route: self.route, endpoint: nil)
    }

    /// The client as trusted proxies name it.
    var clientName: String { self.summary.clientName(at: self.address) }

    // MARK: - Events

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch self.machine.state {
        case .proxyHeader: if !self.joinsLine(connection, readiness) { self.readProxyHeader(connection) }
        case .tlsHandshake: self.tlsHandshake(connection)
        case .requestHead: if !self.joinsLine(connection, readiness) { self.readRequests() }
        // A client that was answered before is no newcomer: its next request is as urgent as a message, but its end is not.
        case .idle: if !readiness.isEnded || !self.joinsLine(connection, readiness) { self.readRequests() }
        case .exchange: self.exchange?.ready(client: connection, readiness)
        case .answering(let hasEnded):
            // A connection that waits for its next turn does not get another one for each packet that comes meanwhile.
            let isItsTurn = readiness.isNone || !connection.isScheduled
            if readiness.isEnded, !hasEnded, self.joinsLine(connection, readiness) { return }
            if isItsTurn { self.discard(connection) }
            self.settle()
        case .over: break
        }
    }

    /// Waits in line if the event begins or ends a connection: a crowd that comes or leaves at once must not delay messages.
    private func joinsLine(_ connection: Connection, _ readiness: Readiness) -> Bool {
        guard !readiness.isNone, self.loop.budget.isHalfSpent else { return false }
        connection.readAgainLater()
        return true
    }

    func timerFired() {
        self.timer = nil
        switch self.machine.state {
        case .idle: self.checkIdle()
        case .answering: self.checkClosing()
        case .proxyHeader, .tlsHandshake, .requestHead, .exchange, .over: self.handle(.timeOver)
        }
    }

    /// `timeouts.keep-alive` begins when the client has taken its last answer.
    private func checkIdle() {
        guard let connection = self.connection else { return }
        let now = self.loop.now
        let end = self.answered.at + self.listener.settings.timeouts.keepAlive
        if connection.hasTakenNothing(for: self.answered.taking, at: now) {
            self.handle(.stalled)
        } else if connection.queuedSince != nil {
            self.answered.at = now
            self.setDeadline(at: now + self.answered.taking)
        } else if now < end {
            self.setDeadline(at: end)
        } else {
            self.handle(.timeOver)
        }
    }

    /// Calls `timerFired` once, at `instant`. Setting it again replaces the old deadline.
    func setDeadline(at instant: MonotonicInstant) { self.loop.setTimer(&self.timer, at: instant, self) }

    func clearDeadline() { self.loop.cancelTimer(&self.timer) }

    /// A read gave something. What libssl had left over came earlier.
    func heard(_ connection: Connection) {
        if connection.tookBytes { self.lastByte = self.loop.now }
    }

    // MARK: - Acting

    /// Tells the machine what happened, and carries out its action.
    func handle(_ input: ClientMachine.Input) {
        let phase = self.phase
        switch self.machine.handle(input) {
        case .nothing: break
        case .shakeHands: if let connection = self.connection { self.tlsHandshake(connection) }
        case .readRequest: self.readRequests()
        case .awaitRequest: self.awaitRequest()
        case .limitRequest: self.limitRequest()
        case .endAfterAnswer: self.endAfterAnswer()
        case .end(let reason):
            self.subject.abandoned(reason, in: phase, self.context)
            self.close()
        case .turnAway: self.close()
        case .makeRoom:
            self.subject.evicted(in: phase, after: self.loop.now - self.began, self.context)
            self.close()
        case .refuse(let why): self.refuse(self.refusal(why), self.subject, in: phase)
        case .close:
            if let connection = self.connection, connection.failure == nil { connection.shutDown() }
            self.close()
        case .abort: self.close(abruptly: true)
        // Those that tell of these carry them out: they have what to send or to begin.
        case .answer, .beginExchange, .handOver: break
        }
    }

    /// The gateway ends the connection.
    func close(_ ending: Ending) {
        if let exchange = self.exchange { return exchange.close(ending) }
        let isTaking = self.machine.state == .idle && self.connection?.hasUntaken == true
        self.handle(isTaking ? .orderedBehindAnswer : .ordered(ending.cause))
    }

    /// The gateway stops now. The client is told if that is possible without waiting.
    func abort() {
        // Asked first, because our own answer would count once it is queued.
        let isLeft = self.connection.map { $0.undelivered > 0 } ?? false
        self.close(.byGateway(.drain))
        self.handle(isLeft ? .dismissed : .timeOver)
    }

    /// Closes the connection now.
    ///
    /// - Parameter abruptly: with a reset.
    private func close(abruptly: Bool = false) {
        guard let connection = self.connection else { return }
        self.loop.budget.spend(Work.ending)
        connection.close(abruptly: abruptly)
        self.letGo()
        self.owner.ended(self)
    }

    /// Another request may come on the same connection.
    func awaitRequest() {
        guard let connection = self.connection else { return }
        if !self.early.isEmpty {
            self.request = PartialRequest(self.listener.settings.limits, bytes: self.early)
            self.early = []
        }
        self.answered = (self.loop.now, (self.route?.settings.timeouts ?? Timeouts()).requestBody)
        self.route = nil
        self.summary = SessionSummary()
        self.setDeadline(at: self.loop.now + min(self.listener.settings.timeouts.keepAlive, self.answered.taking))
        self.owner.isNewAgain(self)
        // Later, so that the requests of one client do not delay others.
        if connection.mayRead || !self.request.bytes.isEmpty { connection.readAgainLater() }
    }

    /// A later request began: from now on it has the time of a first one.
    private func limitRequest() {
        self.id = .random()
        self.began = self.loop.now
        self.setDeadline(at: self.began + self.context.configuration.shared.longestHandshake)
    }

    /// The connection is closed, or a session has it.
    private func letGo() {
        assert(self.exchange == nil, "an exchange tells of its end first")
        self.clearDeadline()
        self.relay?.close()
        self.relay = nil
        self.connection = nil
        self.closing = nil
        self.request = PartialRequest(self.listener.settings.limits)
        self.early = []
        self.assembles(0)
        self.noteHolding()
    }

    // MARK: - TLS handshake

    private func tlsHandshake(_ connection: Connection) {
        guard connection.mayRead else { return }
        // Of a client that has left only the second step is made: its answer to our part may be here, with its request or an alert.
        if connection.hasEnded, connection.tls?.handshakeSteps != 1 { return self.handle(.ended(.truncated)) }
        if let result = connection.handshakeNews() { self.shookHands(connection, result) }
    }

    /// It is the turn of the next step of the TLS handshake.
    ///
    /// - Returns: whether there was anything to do.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        guard self.machine.state == .tlsHandshake else { return false }
        let (result, hasWorked) = connection.handshakeStep()
        self.shookHands(connection, result)
        if hasWorked { self.context.metrics.handshakeWaited(waited) }
        return hasWorked
    }

    private func shookHands(_ connection: Connection, _ result: Connection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        case .failed(let error): self.handle(.tlsFailed("\(error)"))
        case .done:
            self.context.metrics.tlsHandshake(
                version: connection.tls?.version ?? "-", resumed: connection.tls?.wasResumed == true)
            self.handle(.tlsEstablished)
        }
    }
}

// MARK: - The exchange

extension ClientConnection: SessionClient {
    func open(_ session: Session) -> (connection: Connection, early: [UInt8])? {
        guard let connection = self.connection, self.machine.handle(.sessionOpened) == .handOver else { return nil }
        let heir = connection.handOver(to: session)
        let early = self.early
        self.exchange = nil
        self.letGo()
        self.owner.handedOver(self, to: session)
        return (heir, early)
    }

    func refuse(_ refusal: Refusal, of subject: LogSubject, in phase: Phase) {
        self.exchange = nil
        if self.machine.handle(.answered(isLast: true)) == .answer { self.refuse(refusal, subject, in: phase) }
    }

    func passOn(_ refused: RefusedUpgrade) {
        let route = refused.configuration.shared.routes[refused.upgrade.routeIndex]
        guard let backend = route.backend else { return self.leave() }
        let request = PassedRequest(
            refused: refused.upgrade, to: route, of: backend, refused.configuration,
            counts: self.context.metrics.requests(of: route.settings.name), client: self.clientName,
            began: self.began, at: self.loop.now)
        self.beginRelay().begin(request, refusedBy: refused.endpoint, over: refused.connection, refused.bytes)
    }

    func leave() { self.exchangeEnded(.silent) }

    // MARK: - Plain requests

    /// A plain request was answered, or its answer has broken off.
    ///
    /// - Parameters:
    ///   - asked: for the log line, which begins with `subject`.
    ///   - keepsClient: as the client was told.
    func requestEnded(
        _ report: RequestReport, _ asked: @autoclosure () -> RequestReport.Asked,
        of subject: @autoclosure () -> LogSubject, keepsClient: Bool
    ) {
        report.log(asked(), of: subject(), self.context)
        if report.brokenOff != nil {
            self.exchangeEnded(report.status == nil ? .silent : .incomplete)
        } else {
            // A gateway that drains does not wait for another request.
            self.exchangeEnded(keepsClient && !self.context.isDraining ? .kept : .last)
        }
    }

    /// A room's messages are not sent any more.
    func streamEnded(_ end: ClientMachine.ExchangeEnd) { self.exchangeEnded(end) }

    private func exchangeEnded(_ end: ClientMachine.ExchangeEnd) {
        self.exchange = nil
        self.handle(.exchangeEnded(end))
    }
}
