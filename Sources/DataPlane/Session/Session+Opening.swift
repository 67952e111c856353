internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// From accept to the 101, or to the answer instead of it.
extension Session {
    /// Tells the machine what happened during the opening, and carries out its action.
    func handle(_ input: SessionMachine.Input) {
        let phase = self.phase
        switch self.machine.handle(input) {
        case .nothing: break
        case .readRequest: self.requestHead()
        case .end(let reason):
            self.logAbandoned(reason, in: phase)
            self.context.metrics.abandoned(route: self.route?.settings.name)
            self.closeLegs()
        case .makeRoom(let isLogged):
            if isLogged {
                self.logEvicted(in: phase)
                self.context.metrics.evicted()
            }
            self.closeLegs()
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
        // `judge`, `show` and `turnAway` handle these: they have what to send.
        case .begin(.relay), .passRefusalOn, .answer: break
        }
    }

    /// The time now, and how long the opening handshake may take.
    var handshakeClock: SessionMachine.HandshakeClock {
        let allowed = self.route?.settings.timeouts.handshake ?? Timeouts().handshake
        return .init(now: self.loop.now, deadline: self.began + allowed, allowed: allowed)
    }

    // MARK: - TLS handshake

    func tlsHandshake() {
        guard let client = self.client, client.mayRead else { return }
        // Of a client that has left only the second step is made: its answer to our part may be here, with its request or an alert.
        if client.hasEnded, client.tls?.handshakeSteps != 1 { return self.handle(.clientLeft) }
        if let result = client.handshakeNews() { self.clientShookHands(result) }
    }

    /// It is the turn of a leg's next step of the TLS handshake.
    ///
    /// - Returns: whether there was anything to do.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        let hasWorked: Bool
        switch (self.machine.state, connection.leg) {
        case (.tlsHandshake, .client):
            let step = connection.handshakeStep()
            hasWorked = step.hasWorked
            self.clientShookHands(step.result)
        case (.connecting, .backend): hasWorked = self.opening?.connector?.makeHandshakeStep() ?? false
        default: return false
        }
        if hasWorked { self.context.metrics.handshakeWaited(waited) }
        return hasWorked
    }

    private func clientShookHands(_ result: Connection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        case .failed(let error): self.handle(.tlsFailed("\(error)"))
        case .done:
            self.context.metrics.tlsHandshake(
                version: self.client?.tls?.version ?? "-", resumed: self.client?.tls?.wasResumed == true)
            self.handle(.tlsEstablished)
        }
    }

    // MARK: - Request head

    func requestHead() {
        guard let client = self.client else { return }
        let plaintext = self.context.connections.buffers.plaintext
        while self.machine.state == .requestHead, client.mayRead {
            switch client.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(client)
                self.loop.budget.spend(Work.read + Work.head(range.count))
                self.opening?.inbox.append(plaintext.span.extracting(range))
                self.madeProgress()
                self.parseRequestHead()
                if let opening = self.opening { self.assembles(opening.memory) }
            case .incomplete: self.heard(client)
            case .nothing: break
            case .end, .failed: return self.handle(.clientLeft)
            }
        }
        // The connection is quiet now, until the backend answers or the rest of the request comes.
        client.tls?.releaseBuffers()
        // An end that came together with the request is not reported again.
        switch self.machine.state {
        case .connecting, .backendHandshake: if client.hasEnded { self.handle(.clientLeft) }
        case .tlsHandshake, .requestHead, .choosing, .answering, .ending, .conversing, .closed: break
        }
    }

    private func parseRequestHead() {
        guard let opening = self.opening else { return }
        let bytes = opening.inbox
        switch opening.parser.parse(bytes.span) {
        case .incomplete: break
        case .invalid(let error): self.turnAway(Refusal(error))
        case .head(let head, let length):
            opening.early = Array(bytes[length...])
            opening.inbox = []
            self.context.owner?.isNoLongerNew(self)
            self.admit(head)
        }
    }

    // MARK: - Route and admit

    private func admit(_ head: RequestHead) {
        guard let configuration = self.opening?.configuration.shared else { return }
        self.loop.budget.spend(Work.admission)
        let arrival = Arrival(
            peer: self.clientAddress.ip, listenerIsSecure: self.listener.tlsContext != nil,
            trustedProxies: configuration.settings.trustedProxies)
        let hops = Hops(head.fields, arrival)
        self.summary.client = hops.client
        self.summary.proxied = ForwardedHeaders.requestID(of: head.fields, arrival).map {
            ProxiedSummary(requestID: $0.cut)
        }
        self.summary.origin = head.fields.first("Origin")?.cut
        switch Admission.decide(head, hops, configuration.routeTable) {
        case .page(let page, let routeIndex, let host, let headOnly):
            self.route = configuration.routes[routeIndex]
            self.show(.page(page, configuration, host: host), headOnly: headOnly)
        case .refused(let refusal):
            self.route = refusal.routeIndex.map { configuration.routes[$0] }
            self.turnAway(refusal)
        case .upgrade(let admitted):
            let route = configuration.routes[admitted.routeIndex]
            self.route = route
            self.opening?.admitted = admitted
            self.summary.hasEncodedSlash = admitted.target.hasEncodedSlash
            self.setDeadline(at: self.began + route.settings.timeouts.handshake)
            guard let backend = route.backend else { return }
            let target: SessionMachine.Target =
                switch backend.settings.kind {
                case .builtin: .service
                case .websocket, .tcp: .backend
                }
            self.handle(.admitted(target, route.settings.closeCodes))
        }
    }

    // MARK: - Serve

    private func serve() {
        guard let admitted = self.opening?.admitted, let client = self.client,
            case .builtin(let service)? = self.route?.backend?.settings.kind
        else { return }
        // A room's messages are compressed once for all members, so they cannot refer to earlier ones.
        let compression = self.agreeOnCompression(keepsContext: service != .broadcast)
        let conversation = self.context.services.conversation(
            with: service, of: self, client, path: admitted.target.path, compression: compression?.parameters)
        let extensions = compression?.answer.description
        self.upgradeClient(subprotocol: admitted.subprotocol, extensions: extensions, passing: HTTPFields())
        self.begin(conversation, early: PerLeg(client: self.opening?.early ?? [], backend: []))
    }

    /// Accepts the client's offer to compress, if the route has memory for it. For sessions that end at the gateway.
    ///
    /// - Parameter keepsContext: whether our messages may refer to earlier ones.
    func agreeOnCompression(keepsContext: Bool = true) -> DeflateNegotiation.Agreement? {
        guard let offers = self.opening?.admitted?.compressionOffers, let limits = self.route?.settings.limits else {
            return nil
        }
        let agreement = DeflateNegotiation.agree(
            on: offers, .init(memory: limits.compression.rawValue, keepsContext: keepsContext))
        if agreement != nil { self.loop.budget.spend(Work.streams) }
        return agreement
    }

    /// What is remembered of the agreed subprotocol.
    private func remembered(_ subprotocol: String?) -> AgreedSubprotocol {
        guard let subprotocol else { return .none }
        guard let offered = self.opening?.admitted?.offeredSubprotocols, let route = self.route else { return .hidden }
        let names = SubprotocolChoice(route.settings).names(among: offered)
        return names.contains(subprotocol) ? .named(subprotocol) : .hidden
    }

    /// Sends the client its 101.
    func upgradeClient(subprotocol: String?, extensions: String?, passing fields: HTTPFields) {
        guard let key = self.opening?.admitted?.key else { return }
        self.summary.subprotocol = self.remembered(subprotocol)
        let bytes = SwitchingProtocols.bytes(
            key: key, subprotocol: subprotocol, extensions: extensions, passedFields: fields, date: WallClock.httpDate()
        )
        self.client?.send(bytes.span)
    }

    // MARK: - Answers

    /// The client asked for a built-in page.
    private func show(_ answer: Answer, headOnly: Bool) {
        guard self.machine.handle(.answered) == .answer else { return }
        self.client?.send(answer.bytes(forHead: headOnly, date: WallClock.httpDate()).span)
        self.endAfterAnswer()
    }

    /// The request cannot become a session.
    private func turnAway(_ refusal: Refusal) {
        guard self.machine.handle(.answered) == .answer else { return }
        self.refuse(refusal, in: .requestHead)
    }

    /// Sends the client a refusal, and logs it.
    ///
    /// - Parameter phase: how far the session had come.
    func refuse(_ refusal: Refusal, in phase: Phase) {
        self.logRefused(refusal, in: phase)
        self.context.metrics.refused(route: self.route?.settings.name, status: refusal.status)
        self.client?.send(refusal.bytes(date: WallClock.httpDate()).span)
        self.endAfterAnswer()
    }

    /// Sends nothing more; what the client still sends is not read.
    private func endAfterAnswer() {
        self.opening = nil
        self.closeLeg(.backend, abruptly: true)
        self.beginClosing()
        self.end(.client, as: .shutDown)
    }

    /// The refusal for a failure, with the endpoint's name before the reason.
    private func refusal(_ failure: OpeningFailure) -> Refusal {
        let name = self.endpoint?.name ?? "-"
        switch failure {
        case .headTimeout: return .headTimeout
        case .noEndpoint: return .noEndpoint(routeIndex: self.routeIndex)
        case .connectFailed(let reason): return .connectFailed("\(name): \(reason)", routeIndex: self.routeIndex)
        case .backendTimeout(let reason): return .backendTimeout("\(name): \(reason)", routeIndex: self.routeIndex)
        case .badBackend(let reason): return .badBackend("\(name): \(reason)", routeIndex: self.routeIndex)
        case .draining: return .draining(routeIndex: nil)
        case .memory: return .outOfMemory
        }
    }

    var routeIndex: Int { self.opening?.admitted?.routeIndex ?? 0 }
}
