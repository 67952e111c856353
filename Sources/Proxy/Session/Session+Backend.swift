internal import Admission
internal import Balancing
internal import Configuration
internal import Connections
internal import HTTP1
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// The other leg: choose an endpoint, connect, and (where it is a WebSocket) the opening handshake with it.
extension Session: ConnectorOwner {
    // MARK: - Choose endpoint

    /// So many endpoints are tried before the client hears that it did not work.
    private static let mostEndpoints = 3

    func connect(_ backend: Backend) {
        self.connectToNextEndpoint(of: backend, after: nil)
    }

    /// Chooses an endpoint that was not tried yet.
    ///
    /// - Parameter refusal: what the client hears if there is none, where one was tried before.
    private func connectToNextEndpoint(of backend: Backend, after refusal: Refusal?) {
        guard let opening = self.opening, opening.endpoints.count < Self.mostEndpoints,
            let endpoint = opening.runtime.chooseEndpoint(
                of: backend, except: opening.endpoints, key: self.balanceKey(backend), now: self.worker.loop.now)
        else { return self.refuse(refusal ?? .noEndpoint(routeIndex: self.routeIndex)) }
        opening.endpoints.append(endpoint)
        opening.chosenAt = self.worker.loop.now
        self.endpoint = endpoint
        self.phase = .connect
        switch endpoint.addresses(at: self.loop.now) {
        case .success(let addresses) where !addresses.isEmpty: self.connect(to: endpoint, at: addresses, of: backend)
        case .success:
            self.endpointFailed(.connectFailed("\(endpoint.name) is not resolved yet", routeIndex: self.routeIndex))
        case .failure(let error):
            self.endpointFailed(.connectFailed("\(endpoint.name): \(error)", routeIndex: self.routeIndex))
        }
    }

    /// No session can be opened with this endpoint. The client does not hear of it as long as there is another.
    private func endpointFailed(_ refusal: Refusal) {
        self.closeBackend()
        guard let endpoint = self.endpoint, let backend = self.route?.backend else { return self.refuse(refusal) }
        self.worker.failed(endpoint, because: refusal.detail)
        self.connectToNextEndpoint(of: backend, after: refusal)
    }

    /// What sessions have in common that should meet the same endpoint.
    private func balanceKey(_ backend: Backend) -> UInt64 {
        switch backend.settings.balance {
        case .hashAddress: StableHash.of(self.clientName.utf8)
        case .hashPath: StableHash.of((self.opening?.admitted?.target.path ?? "").utf8)
        case .roundRobin, .leastSessions, .randomTwo: 0
        }
    }

    // MARK: - Connect

    private func connect(to endpoint: Endpoint, at addresses: [SocketAddress], of backend: Backend) {
        let limit = self.route?.settings.timeouts.connect ?? Timeouts().connect
        guard let opening = self.opening else { return }
        let runtime = opening.runtime
        let connector = Connector(
            to: addresses, from: backend.source, tag: Leg.backend.tag,
            tls: { endpoint.usesTLS ? try runtime.clientConnection(of: backend, to: endpoint) : nil },
            history: endpoint, within: limit, until: self.openingDeadline, self.worker.context, for: self)
        opening.connector = connector
        connector.start()
    }

    /// When the whole opening handshake has to be complete.
    private var openingDeadline: MonotonicInstant {
        self.began + (self.route?.settings.timeouts.handshake ?? Timeouts().handshake)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .shortage(let error):
            self.refuse(.connectFailed("\(self.endpointName): \(error)", routeIndex: self.routeIndex))
        case .host(let failure):
            if let endpoint = self.endpoint { self.worker.unreachable(endpoint) }
            guard self.loop.now < self.openingDeadline else { return self.handshakeTimedOut(failure.reason) }
            let reason = "\(self.endpointName): \(failure.reason)"
            self.endpointFailed(
                failure.silent != .none
                    ? .backendTimeout(reason, routeIndex: self.routeIndex)
                    : .connectFailed(reason, routeIndex: self.routeIndex))
        }
    }

    /// A bridge begins; a relay first shakes hands with the backend.
    func connected(_ connection: Connection) {
        self.attach(backend: connection)
        guard let opening = self.opening, let admitted = opening.admitted, let endpoint = self.endpoint,
            let route = self.route, let settings = route.backend?.settings
        else { return }
        opening.connector = nil
        if let webSocket = endpoint.webSocket {
            self.phase = .backendHandshake
            let key = AcceptKey.makeKey(random: Randomness.bytes(16))
            let request = BackendRequest.bytes(
                for: admitted, to: webSocket, host: settings.host, key: key, sessionID: self.id.description)
            self.opening?.backendHandshake = BackendHandshake(
                key: key, offeredSubprotocols: admitted.subprotocols, requiresSubprotocol: admitted.requiresSubprotocol,
                compressionOffers: admitted.compressionOffers)
            connection.send(request.span)
            self.backendHandshake()
        } else if case .tcp(_, let message) = settings.kind, let client = self.client {
            self.worker.succeeded(endpoint)
            let compression = self.agreeOnCompression()
            self.upgradeClient(
                subprotocol: admitted.subprotocol, extensions: compression?.answer.description, passing: HTTPFields())
            let bridge = BridgeConversation(
                self, PerLeg(client: client, backend: connection), message: message,
                compression: compression?.parameters)
            self.begin(bridge, early: PerLeg(client: opening.early, backend: []))
        }
    }

    // MARK: - Backend handshake

    func backendHandshake() {
        guard let backend = self.backend else { return }
        let plaintext = self.worker.context.buffers.plaintext
        while self.phase == .backendHandshake, backend.mayRead {
            switch backend.receive(atMost: self.worker.memory.readSize) {
            case .bytes(let range):
                self.heard(.backend)
                // In place: a copy would be one of all that was read so far.
                guard let outcome = self.opening?.backendHandshake?.received(plaintext.span.extracting(range)) else {
                    return
                }
                self.judge(outcome, range)
            case .incomplete: self.heard(.backend)
            case .nothing: break
            case .end:
                guard var handshake = self.opening?.backendHandshake else { return }
                self.judge(handshake.receivedEOF(), 0..<0)
            case .failed(let failure): self.judge(.bad(failure.description), 0..<0)
            }
        }
    }

    /// - Parameter range: what was just received, of which the handshake may end in the middle.
    private func judge(_ outcome: BackendHandshake.Outcome, _ range: Range<Int>) {
        switch outcome {
        case .incomplete: break
        case .bad(let reason):
            let refusal = Refusal.badBackend("\(self.endpointName): \(reason)", routeIndex: self.routeIndex)
            // Without a byte of an answer it may as well not have been reached. Whatever it answered, it was asked: once is enough.
            if self.opening?.backendHandshake?.hasReceived == false { return self.endpointFailed(refusal) }
            if let endpoint = self.endpoint { self.worker.failed(endpoint, because: refusal.detail) }
            self.refuse(refusal)
        case .refused(let answer):
            // It works, then. What a client may be able to provoke (a 500) says nothing either way.
            if answer.status < 500, let endpoint = self.endpoint { self.worker.succeeded(endpoint) }
            // The backend does not want this client: that is its to say, and the client hears it in the backend's words.
            self.refuse(Refusal(passingOn: answer, routeIndex: self.routeIndex))
        case .accepted(let accepted):
            self.upgradeClient(
                subprotocol: accepted.subprotocol, extensions: accepted.extensions, passing: accepted.passedFields)
            let behind = self.worker.context.buffers.plaintext.copy(
                range.lowerBound + accepted.length..<range.upperBound)
            if let endpoint = self.endpoint { self.worker.succeeded(endpoint) }
            let early = PerLeg(client: self.opening?.early ?? [], backend: behind)
            guard let client = self.client, let backend = self.backend else { return }
            let relay = RelayConversation(
                self, PerLeg(client: client, backend: backend), allowsCompression: accepted.allowsCompression)
            self.begin(relay, early: early)
        }
    }

    private var routeIndex: Int { self.opening?.admitted?.routeIndex ?? 0 }

    private var endpointName: String { self.endpoint?.name ?? "-" }

    /// The session's timer has fired before it was open.
    func openingTimedOut() {
        // What it has tried so far is the connector's to say.
        if let connector = self.opening?.connector { return connector.look() }
        if var handshake = self.opening?.backendHandshake, handshake.isReadingRefusal {
            // A refusal whose body does not end is a refusal all the same.
            return self.judge(handshake.receivedEOF(), 0..<0)
        }
        self.handshakeTimedOut()
    }

    /// - Parameter reason: what came of connecting, if that is how far it was.
    private func handshakeTimedOut(_ reason: String? = nil) {
        let details = reason.map { " (\($0))" } ?? ""
        let refusal = Refusal.backendTimeout(
            "\(self.endpointName): the opening handshake timed out\(details)", routeIndex: self.routeIndex)
        // A client that was slow itself, or the endpoint before, left this one no time: that must not take it out for others.
        if let endpoint = self.endpoint, let timeouts = self.route?.settings.timeouts,
            let chosenAt = self.opening?.chosenAt, self.worker.loop.now >= chosenAt + timeouts.handshake / 2
        {
            self.worker.failed(endpoint, because: refusal.detail)
        }
        self.refuse(refusal)
    }

    private func closeBackend() {
        self.backend?.close(abruptly: true)
        self.detachBackend()
    }
}
