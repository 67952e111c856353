internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// From accept to the 101, or to the answer that says why not.
extension Session {
    // MARK: - TLS handshake

    func tlsHandshake() {
        guard let client = self.client, client.mayRead else { return }
        // Each step has a signature or a key exchange in it: live sessions keep their latency while a storm of new ones comes in.
        guard client.hasEnded else { return client.handshakeLater() }
        // Whoever has left waits for nothing. Behind its answer to our part, the second step, it may have all the same what is to be
        // read: the rest of its handshake, and its request, or the alert that says why it goes.
        guard client.tls?.handshakeSteps == 1 else {
            return self.abandon(because: "the client left during its TLS handshake")
        }
        self.loop.budget.spend(EventLoop.workOfLongStep)
        self.clientShookHands(client.handshakeStep().result)
    }

    /// It is the turn of a leg's next step.
    ///
    /// - Returns: whether there was one.
    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        let hasWorked: Bool
        switch (self.phase, connection.leg) {
        case (.tlsHandshake, .client):
            let step = connection.handshakeStep()
            hasWorked = step.hasWorked
            self.clientShookHands(step.result)
        case (.connect, .backend): hasWorked = self.opening?.connector?.makeHandshakeStep() ?? false
        default: return false
        }
        if hasWorked { self.worker.metrics.handshakeWaited(waited) }
        return hasWorked
    }

    private func clientShookHands(_ result: TLSConnection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        case .failed(let error): self.abandon(because: "TLS: \(error)")
        case .done:
            self.phase = .requestHead
            self.worker.metrics.tlsHandshake(
                version: self.client?.tls?.version ?? "-", resumed: self.client?.tls?.wasResumed == true)
            self.requestHead()
        }
    }

    // MARK: - Request head

    func requestHead() {
        guard let client = self.client else { return }
        let plaintext = self.worker.context.buffers.plaintext
        while self.phase == .requestHead, client.mayRead {
            switch client.receive(atMost: self.worker.memory.readSize) {
            case .bytes(let range):
                self.heard(.client)
                self.loop.budget.spend(Work.read + Work.head(range.count))
                self.opening?.inbox.append(plaintext.span.extracting(range))
                self.madeProgress()
                self.parseRequestHead()
                if let opening = self.opening { self.assembles(opening.memory) }
            case .incomplete: self.heard(.client)
            case .nothing: break
            case .end, .failed: return self.abandon(because: "the client left before its request was whole")
            }
        }
        // It is quiet until its backend has answered, or until the rest of its request comes.
        client.tls?.releaseBuffers()
        // An end that came together with the request is not told again.
        switch self.phase {
        case .connect, .backendHandshake: if client.hasEnded { self.abandonOpening() }
        case .tlsHandshake, .requestHead, .relay, .bridge, .serve, .closing, .closed: break
        }
    }

    func abandonOpening() { self.abandon(because: "the client left during the opening handshake") }

    private func parseRequestHead() {
        guard let opening = self.opening else { return }
        let bytes = opening.inbox
        switch opening.parser.parse(bytes.span) {
        case .incomplete: break
        case .invalid(let error): self.refuse(Refusal(error))
        case .head(let head, let length):
            opening.early = Array(bytes[length...])
            opening.inbox = []
            self.worker.isNoLongerNew(self)
            self.admit(head)
        }
    }

    // MARK: - Route and admit

    private func admit(_ head: RequestHead) {
        guard let runtime = self.opening?.runtime.shared else { return }
        self.loop.budget.spend(Work.admission)
        let arrival = Arrival(
            peer: self.clientAddress.ip, listenerIsSecure: self.listener.tlsContext != nil,
            trustedProxies: runtime.configuration.trustedProxies)
        let hops = Hops(head.fields, arrival)
        self.summary.client = hops.client
        self.summary.proxied = ForwardedHeaders.requestID(of: head.fields, arrival).map {
            ProxiedSummary(requestID: $0.cut)
        }
        self.summary.origin = head.fields.first("Origin")?.cut
        switch Admission.decide(head, hops, runtime.routeTable) {
        case .page(let page, let routeIndex, let host, let headOnly):
            self.route = runtime.routes[routeIndex]
            self.answer(.page(page, runtime, host: host), headOnly: headOnly)
        case .refused(let refusal):
            self.route = refusal.routeIndex.map { runtime.routes[$0] }
            self.refuse(refusal)
        case .upgrade(let admitted):
            let route = runtime.routes[admitted.routeIndex]
            self.route = route
            self.opening?.admitted = admitted
            self.summary.hasEncodedSlash = admitted.target.hasEncodedSlash
            self.setDeadline(at: self.began + route.settings.timeouts.handshake)
            self.chooseBackend(route)
        }
    }

    private func chooseBackend(_ route: Route) {
        guard let backend = route.backend else { return }
        switch backend.settings.kind {
        case .builtin(let service): self.serve(service)
        case .websocket, .tcp: self.connect(backend)
        }
    }

    // MARK: - Serve

    private func serve(_ service: BuiltinService) {
        guard let admitted = self.opening?.admitted, let client = self.client else { return }
        let compression: DeflateNegotiation.Agreement?
        let conversation: EndpointConversation
        switch service {
        case .echo:
            compression = self.agreeOnCompression()
            conversation = EchoConversation(self, client, compression: compression?.parameters)
        case .broadcast:
            // What keeps no context is compressed once for all.
            compression = self.agreeOnCompression(keepsContext: false)
            let room = RoomKey(backend: self.route?.backend?.name ?? "", path: admitted.target.path)
            conversation = BroadcastConversation(self, client, room: room, compression: compression?.parameters)
        case .clock(let every):
            compression = self.agreeOnCompression()
            conversation = ClockConversation(self, client, every: every, compression: compression?.parameters)
        }
        let extensions = compression?.answer.description
        self.upgradeClient(subprotocol: admitted.subprotocol, extensions: extensions, passing: HTTPFields())
        self.begin(conversation, early: PerLeg(client: self.opening?.early ?? [], backend: []))
    }

    /// Accepts the client's offer to compress, if there is one that the route has memory for. For sessions that we end ourselves.
    ///
    /// - Parameter keepsContext: whether messages of ours may refer to earlier ones.
    func agreeOnCompression(keepsContext: Bool = true) -> DeflateNegotiation.Agreement? {
        guard let offers = self.opening?.admitted?.compressionOffers, let limits = self.route?.settings.limits else {
            return nil
        }
        let agreement = DeflateNegotiation.agree(
            on: offers, .init(memory: limits.compression.rawValue, keepsContext: keepsContext))
        if agreement != nil { self.loop.budget.spend(Work.streams) }
        return agreement
    }

    /// What is remembered of the subprotocol that the client is answered.
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

    private func answer(_ answer: Answer, headOnly: Bool) {
        self.client?.send(answer.bytes(forHead: headOnly, date: WallClock.httpDate()).span)
        self.finishAnswering()
    }

    /// Turns the client away, and says so in the log.
    func refuse(_ refusal: Refusal) {
        self.logRefused(refusal)
        self.worker.metrics.refused(route: self.route?.settings.name, status: refusal.status)
        self.client?.send(refusal.bytes(date: WallClock.httpDate()).span)
        self.finishAnswering()
    }

    /// After an answer: nothing else is said, and what the client still sends is not looked at.
    func finishAnswering() {
        self.opening = nil
        self.closeLeg(.backend, abruptly: true)
        self.beginClosing()
        self.end(.client, as: .shutDown)
    }
}
