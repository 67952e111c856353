internal import Configuration
internal import EventLoop
internal import HTTP1
internal import TLS
internal import WebSocketProtocol

/// The other leg: choose an endpoint, connect, and (where it is a WebSocket) the opening handshake with it.
extension Session {
    // MARK: - Choose endpoint

    func connect(_ backend: Backend) {
        guard let endpoint = self.worker.chooseEndpoint(of: backend) else {
            return self.refuse(.noEndpoint)
        }
        self.opening?.endpoint = endpoint
        self.summary.endpoint = endpoint.name
        switch endpoint.addresses {
        case .success(let addresses) where !addresses.isEmpty:
            self.opening?.addresses = addresses[...]
            self.phase = .connect
            self.connectToNextAddress(after: nil)
        case .success: self.refuse(.connectFailed("\(endpoint.name) is not resolved yet"))
        case .failure(let error): self.refuse(.connectFailed("\(endpoint.name): \(error)"))
        }
    }

    // MARK: - Connect

    /// Tries the endpoint's addresses in turn.
    private func connectToNextAddress(after failure: String?) {
        guard let endpoint = self.opening?.endpoint, let backend = self.route?.backend else { return }
        self.dropBackend()
        guard let address = self.opening?.addresses.popFirst() else {
            return self.refuse(.connectFailed("\(endpoint.name): \(failure ?? "no address")"))
        }
        do {
            let source = address.port == nil ? nil : backend.source
            let descriptor = try Kernel.connect(address, from: source)
            do {
                let tls = endpoint.usesTLS ? try self.worker.clientConnection(of: backend, to: endpoint) : nil
                let transport = try Transport(descriptor, .backend, tls: tls, session: self, worker: self.worker)
                self.attach(backend: transport)
            } catch {
                Kernel.close(descriptor)
                throw error
            }
            self.opening?.isInBackendTLS = false
            self.setConnectDeadline()
        } catch {
            self.connectToNextAddress(after: "\(address): \(error)")
        }
    }

    /// The connect timeout, but never later than the end of the whole opening handshake.
    private func setConnectDeadline() {
        guard let timeouts = self.route?.settings.timeouts else { return }
        self.setDeadline(at: min(self.worker.loop.now + timeouts.connect, self.began + timeouts.handshake))
    }

    func connectionReady(_ readiness: Readiness) {
        guard let backend = self.backend else { return }
        if self.opening?.isInBackendTLS == true { return self.backendTLSHandshake() }
        if let error = backend.connectionResult() { return self.connectToNextAddress(after: error.reason) }
        guard readiness.contains(.writable) else { return }
        backend.sendAtOnce()
        guard backend.tls != nil else { return self.connected() }
        self.opening?.isInBackendTLS = true
        self.handle(backend.beginHandshake())
    }

    private func backendTLSHandshake() {
        guard let backend = self.backend, backend.mayRead else { return }
        guard self.worker.takesHandshakeStep() else { return backend.readAgainLater() }
        self.handle(backend.handshakeStep())
    }

    private func handle(_ result: TLSConnection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        case .failed(let error): self.connectToNextAddress(after: "TLS: \(error)")
        case .done: self.connected()
        }
    }

    /// The connection stands. A bridge begins; a relay first shakes hands with the backend.
    private func connected() {
        guard let opening = self.opening, let admitted = opening.admitted, let endpoint = opening.endpoint,
            let route = self.route, let settings = route.backend?.settings
        else { return }
        self.setDeadline(at: self.began + route.settings.timeouts.handshake)
        if let webSocket = endpoint.webSocket {
            self.phase = .backendHandshake
            let key = AcceptKey.makeKey(random: (0..<16).map { _ in .random(in: .min ... .max) })
            let request = BackendRequest.bytes(
                admitted, endpoint: webSocket, host: settings.host, key: key, sessionID: self.id.description)
            self.opening?.backendHandshake = BackendHandshake(key: key, admitted)
            self.backend?.send(request.span)
            self.backendHandshake()
        } else if case .tcp(_, let message) = settings.kind {
            self.upgradeClient(subprotocol: admitted.pick, extensions: nil, passing: [])
            self.begin(BridgeConversation(self, message: message), early: PerLeg(client: opening.early, backend: []))
        }
    }

    // MARK: - Backend handshake

    func backendHandshake() {
        guard let backend = self.backend else { return }
        let plaintext = self.worker.buffers.plaintext
        while self.phase == .backendHandshake, backend.mayRead {
            switch backend.receive() {
            case .bytes(let range):
                self.opening?.backendInbox.append(plaintext.span.extracting(range))
                self.judgeBackendHandshake(atEnd: false)
            case .nothing: break
            case .end: self.judgeBackendHandshake(atEnd: true)
            case .failed(let reason): self.refuse(.badBackend("\(self.endpointName): \(reason)"))
            }
        }
    }

    private func judgeBackendHandshake(atEnd: Bool) {
        guard var opening = self.opening, var handshake = opening.backendHandshake else { return }
        let result = handshake.received(opening.backendInbox.span, atEnd: atEnd)
        opening.backendHandshake = handshake
        self.opening = opening
        switch result {
        case .incomplete: break
        case .bad(let reason): self.refuse(.badBackend("\(self.endpointName): \(reason)"))
        case .refused(let answer): self.pass(on: answer)
        case .accepted(let accepted):
            self.upgradeClient(
                subprotocol: accepted.subprotocol, extensions: accepted.extensions, passing: accepted.passedFields)
            let behind = Array(opening.backendInbox[accepted.length...])
            let conversation = RelayConversation(self, allowsCompression: accepted.allowsCompression)
            self.begin(conversation, early: PerLeg(client: opening.early, backend: behind))
        }
    }

    /// The backend does not want this client: that is its to say, and the client hears it in the backend's words.
    private func pass(on answer: Answer) {
        self.logRefused(status: answer.status, reason: "the backend refused")
        self.client?.send(answer.bytes().span)
        self.finishAnswering()
    }

    private var endpointName: String { self.opening?.endpoint?.name ?? "-" }

    func openingTimedOut() {
        if self.phase == .connect, self.worker.loop.now < self.began + (self.route?.settings.timeouts.handshake ?? .zero) {
            guard self.opening?.addresses.isEmpty == true else { return self.connectToNextAddress(after: "timed out") }
            return self.refuse(.backendTimeout("\(self.endpointName): connecting timed out"))
        }
        self.refuse(.backendTimeout("\(self.endpointName): the opening handshake timed out"))
    }

    private func dropBackend() {
        self.backend?.close(abruptly: true)
        self.attach(backend: nil)
    }
}
