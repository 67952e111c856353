internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// From the admitted request to the 101, or to the answer instead of it.
extension Session {
    /// Begins to open the session.
    func start() {
        self.setDeadline(at: self.handshakeClock.deadline)
        guard let backend = self.route?.backend else { return }
        let target: SessionMachine.Target =
            switch backend.settings.kind {
            case .builtin: .service
            case .websocket, .tcp, .tokens: .backend
            }
        let waits = self.context.services.askForPlace(in: self.opening?.admitted.room, for: self) { [weak self] in
            self?.start(to: target)
        }
        self.opening?.waitsForPlace = waits
        if !waits { self.start(to: target) }
    }

    private func start(to target: SessionMachine.Target) {
        let phase = self.phase
        self.act(on: self.machine.start(to: target), in: phase)
    }

    /// Tells the machine what happened during the opening, and carries out its action.
    func handle(_ input: SessionMachine.Input) {
        let phase = self.phase
        self.act(on: self.machine.handle(input), in: phase)
    }

    /// - Parameter phase: how far the session had come.
    private func act(on action: SessionMachine.Action, in phase: Phase) {
        switch action {
        case .nothing: break
        case .end(let reason):
            self.subject.abandoned(reason, in: phase, self.context)
            self.endOpening()?.leave()
        case .refuse(let failure, let blamesEndpoint):
            let refusal = self.refusal(failure)
            if blamesEndpoint, let endpoint = self.endpoint {
                self.context.owner?.failed(endpoint, because: refusal.detail)
            }
            self.refuse(refusal, in: phase)
        case .chooseEndpoint(let failure):
            self.closeBackend()
            if let failure, let endpoint = self.endpoint {
                self.context.owner?.failed(endpoint, because: self.refusal(failure).detail)
            }
            self.chooseEndpoint()
        case .connect: self.connect()
        case .checkAddresses: self.opening?.connector?.look()
        case .sendRequest: self.sendRequest()
        case .endRefusal: self.endAnswer()
        case .begin(.serve): self.serve()
        case .begin(.bridge): self.bridge()
        // `judge` handles these: it has what to send.
        case .begin(.relay), .passRefusalOn: break
        }
    }

    /// The time now, and how long the opening handshake may take.
    var handshakeClock: SessionMachine.HandshakeClock {
        let allowed = self.route?.settings.timeouts.handshake ?? Timeouts().handshake
        return .init(now: self.loop.now, deadline: self.began + allowed, allowed: allowed)
    }

    // MARK: - TLS handshake

    /// It is the turn of the backend's next step of the TLS handshake.
    ///
    /// - Returns: whether there was anything to do.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        guard case .connecting = self.machine.state, connection.leg == .backend else { return false }
        let hasWorked = self.opening?.connector?.makeHandshakeStep() ?? false
        if hasWorked { self.context.metrics.handshakeWaited(waited) }
        return hasWorked
    }

    // MARK: - Serve

    private func serve() {
        guard let admitted = self.opening?.admitted, case .builtin(let service)? = self.route?.backend?.settings.kind,
            let (client, early) = self.takeClient()
        else { return }
        // A room's messages are compressed once for all members, so they cannot refer to earlier ones.
        let compression = self.agreeOnCompression(keepsContext: service != .broadcast)
        let conversation = self.context.services.conversation(
            with: service, of: self, client, room: admitted.room, compression: compression?.parameters)
        guard let conversation else { return }
        self.opening?.waitsForPlace = false
        conversation.prepareToBegin()
        let extensions = compression?.answer.description
        self.upgradeClient(subprotocol: admitted.subprotocol, extensions: extensions, passing: HTTPFields())
        self.begin(conversation, early: PerLeg(client: early, backend: []))
    }

    /// Accepts the client's offer to compress, if the route has memory for it. For sessions that end at the gateway.
    ///
    /// - Parameter keepsContext: whether our messages may refer to earlier ones.
    func agreeOnCompression(keepsContext: Bool = true) -> DeflateNegotiation.Agreement? {
        guard let offers = self.opening?.admitted.compressionOffers, let limits = self.route?.settings.limits else {
            return nil
        }
        let agreement = DeflateNegotiation.agree(
            on: offers, .init(memory: limits.compression.rawValue, keepsContext: keepsContext))
        if agreement != nil { self.loop.budget.spend(Work.streams) }
        return agreement
    }

    /// What is remembered of the agreed subprotocol.
    private func remembered(_ subprotocol: String?) -> AgreedSubprotocol {
        // The announcement of a token is no subprotocol of the route.
        guard let subprotocol, subprotocol != self.opening?.admitted.announcement else { return .none }
        guard let offered = self.opening?.admitted.offeredSubprotocols, let route = self.route else { return .hidden }
        let names = SubprotocolChoice(route.settings).names(among: offered)
        return names.contains(subprotocol) ? .named(subprotocol) : .hidden
    }

    /// Sends the client its 101.
    func upgradeClient(subprotocol: String?, extensions: String?, passing fields: HTTPFields) {
        guard let key = self.opening?.admitted.key else { return }
        self.summary.subprotocol = self.remembered(subprotocol)
        var fields = fields
        fields.append(self.summary.cookies)
        self.summary.credential?.cookies = HTTPFields()
        let bytes = SwitchingProtocols.bytes(
            key: key, subprotocol: subprotocol, extensions: extensions, passedFields: fields,
            headers: self.route?.settings.headers ?? HTTPFields(), date: WallClock.httpDate())
        self.client?.send(bytes.span)
    }

    // MARK: - Refusals

    /// Tells the client that there is no session.
    ///
    /// - Parameter phase: how far the session had come.
    func refuse(_ refusal: Refusal, in phase: Phase) {
        // The session forgets its endpoint when it ends.
        var subject = self.subject
        subject.asked = self.opening.map { RequestedPlace($0.admitted.head) }
        self.endOpening()?.refuse(refusal, of: subject, in: phase)
    }

    private func refusal(_ failure: OpeningFailure) -> Refusal {
        .opening(failure, of: self.endpoint, isSession: true, routeIndex: self.routeIndex)
    }

    var routeIndex: Int { self.opening?.admitted.routeIndex ?? 0 }
}
