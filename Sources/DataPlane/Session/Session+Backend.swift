internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// The backend's leg: the choice of an endpoint, connecting, and the opening handshake if the endpoint is a WebSocket.
extension Session: ConnectorOwner {
    // MARK: - Choose endpoint

    /// Chooses an endpoint that was not tried yet.
    func chooseEndpoint() {
        guard let opening = self.opening, let backend = self.route?.backend,
            let endpoint = self.choice(of: backend, opening)
        else { return self.handle(.noEndpoint) }
        opening.endpoints.append(endpoint)
        self.endpoint = endpoint
        self.handle(.endpointChosen(at: self.loop.now))
    }

    /// There is one that the request's token stands for, or one of several.
    private func choice(of backend: Backend, _ opening: Opening) -> Endpoint? {
        guard backend.tokens == nil else { return opening.endpoints.isEmpty ? opening.target : nil }
        return opening.configuration.chooseEndpoint(
            of: backend, except: opening.endpoints, for: opening.placement, now: self.loop.now)
    }

    /// Adds the cookie that leads the client back to its endpoint, where it needs one.
    private func addPlacementCookie(to fields: inout HTTPFields) {
        guard let opening = self.opening, let backend = self.route?.backend, let endpoint = self.endpoint,
            let place = backend.place(of: endpoint),
            let cookie = backend.placing.setCookie(
                from: place, after: opening.placement, isSecure: opening.admitted.isSecure)
        else { return }
        fields.append("Set-Cookie", cookie)
    }

    // MARK: - Connect

    func connect() {
        guard let endpoint = self.endpoint, let backend = self.route?.backend else { return }
        switch endpoint.addresses(at: self.loop.now) {
        case .success(let addresses) where !addresses.isEmpty: self.connect(to: endpoint, at: addresses, of: backend)
        case .success: self.handle(.noAddress("its name is not resolved yet"))
        case .failure(let error): self.handle(.noAddress("\(error)"))
        }
    }

    private func connect(to endpoint: Endpoint, at addresses: [SocketAddress], of backend: Backend) {
        guard let opening = self.opening else { return }
        let connector = opening.configuration.connector(
            to: endpoint, of: backend, at: addresses, tag: Leg.backend.tag,
            preface: backend.preface(opening.client.announcement), within: self.route?.settings.timeouts.connect,
            until: self.handshakeClock.deadline, self.context.connections, for: self)
        opening.connector = connector
        connector.start()
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .shortage(let error): self.handle(.cannotConnect("\(error)"))
        case .host(let failure):
            if let endpoint = self.endpoint { self.context.owner?.unreachable(endpoint) }
            self.handle(
                .notConnected(failure.reason, wasSilent: failure.silent != .none, self.handshakeClock))
        }
    }

    func connected(_ connection: Connection) {
        self.attach(backend: connection)
        self.opening?.connector = nil
        self.handle(.connected(isWebSocket: self.endpoint?.webSocket != nil))
    }

    // MARK: - Bridge

    func bridge() {
        guard let admitted = self.opening?.admitted, let endpoint = self.endpoint,
            let message = self.route?.backend?.settings.bridgeMessage, let backend = self.backend,
            let (client, early) = self.takeClient()
        else { return }
        self.context.owner?.succeeded(endpoint)
        let compression = self.agreeOnCompression()
        var fields = HTTPFields()
        self.addPlacementCookie(to: &fields)
        self.upgradeClient(
            subprotocol: admitted.subprotocol, extensions: compression?.answer.description, passing: fields)
        let bridge = self.context.services.bridge(
            of: self, PerLeg(client: client, backend: backend), message: message, compression: compression?.parameters)
        self.begin(bridge, early: PerLeg(client: early, backend: []))
    }

    // MARK: - Backend handshake

    func sendRequest() {
        guard let admitted = self.opening?.admitted, let webSocket = self.endpoint?.webSocket,
            let route = self.route?.settings, let target = self.route?.backend
        else { return }
        let key = AcceptKey.makeKey(random: Randomness.bytes(16))
        let request = BackendRequest.bytes(
            for: admitted, to: webSocket, on: route.path, host: target.settings.host, key: key,
            sessionID: self.id.description, without: target.placing.ownCookie)
        self.opening?.backendHandshake = BackendHandshake(
            key: key, offeredSubprotocols: admitted.subprotocols, requiresSubprotocol: admitted.requiresSubprotocol,
            compressionOffers: admitted.compressionOffers, passesRefusals: route.http == .pass)
        self.backend?.send(request.span)
        self.backendHandshake()
    }

    func backendHandshake() {
        guard let backend = self.backend else { return }
        let plaintext = self.context.connections.buffers.plaintext
        while self.isShakingHands, backend.mayRead {
            switch backend.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(backend)
                // Read in place: a copy would contain everything that was read so far.
                guard let outcome = self.opening?.backendHandshake?.received(plaintext.span.extracting(range)) else {
                    return
                }
                self.judge(outcome, range)
            case .incomplete: self.heard(backend)
            case .nothing: break
            case .end: self.endAnswer()
            case .failed(let failure): self.judge(.bad(failure.description), 0..<0)
            }
        }
    }

    private var isShakingHands: Bool {
        if case .backendHandshake = self.machine.state { true } else { false }
    }

    /// The backend sends no more of its answer, or took too long for it: what has come counts.
    func endAnswer() {
        guard var handshake = self.opening?.backendHandshake else { return }
        self.judge(handshake.receivedEOF(), 0..<0)
    }

    /// - Parameter range: what was just received; the handshake may end in the middle of it.
    private func judge(_ outcome: BackendHandshake.Outcome, _ range: Range<Int>) {
        switch outcome {
        case .incomplete: break
        case .bad(let reason):
            self.handle(
                .backendFailed(reason, hasAnswered: self.opening?.backendHandshake?.hasReceived ?? false))
        case .refused(let answer):
            // The endpoint works. A client may be able to provoke a 500, so that says nothing either way.
            let works = answer.status < 500
            if works, let endpoint = self.endpoint { self.context.owner?.succeeded(endpoint) }
            // The backend refuses this client, which gets the backend's own answer. It comes back to an endpoint that works.
            var fields = HTTPFields()
            if works { self.addPlacementCookie(to: &fields) }
            let refusal = Refusal(passingOn: answer, with: fields, routeIndex: self.routeIndex)
            guard self.machine.handle(.backendRefused) == .passRefusalOn else { return }
            self.refuse(refusal, in: .backendHandshake)
        case .passed(let status, let bytes):
            guard self.machine.handle(.backendRefused) == .passRefusalOn else { return }
            self.passRefusalOn(status, bytes)
        case .accepted(let accepted):
            guard self.machine.handle(.backendAccepted) == .begin(.relay), let backend = self.backend,
                let (client, early) = self.takeClient()
            else { return }
            var fields = accepted.passedFields
            self.addPlacementCookie(to: &fields)
            let subprotocol = accepted.subprotocol ?? self.opening?.admitted.announcement
            self.upgradeClient(subprotocol: subprotocol, extensions: accepted.extensions, passing: fields)
            let behind = self.context.connections.buffers.plaintext.copy(
                range.lowerBound + accepted.length..<range.upperBound)
            if let endpoint = self.endpoint { self.context.owner?.succeeded(endpoint) }
            let relay = RelayConversation(
                self, PerLeg(client: client, backend: backend), allowsCompression: accepted.allowsCompression)
            self.begin(relay, early: PerLeg(client: early, backend: behind))
        }
    }

    /// The backend refuses where it also gets plain requests: what it says may be long, and more requests may follow.
    private func passRefusalOn(_ status: Int, _ bytes: [UInt8]) {
        guard let opening = self.opening, let endpoint = self.endpoint, let connection = self.takeBackend() else {
            return
        }
        var subject = self.subject
        subject.asked = RequestedPlace(opening.admitted.head)
        subject.refused(
            Refusal(passedOn: status, routeIndex: self.routeIndex), in: .backendHandshake, self.context)
        let refused = RefusedUpgrade(
            upgrade: opening.admitted, configuration: opening.configuration, endpoint: endpoint, connection: connection,
            bytes: bytes)
        self.endOpening()?.passOn(refused)
    }
}
