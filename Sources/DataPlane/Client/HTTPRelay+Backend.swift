internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// The way to the backend: the choice of an endpoint, and a connection to it, kept or new.
extension HTTPRelay: ConnectorOwner {
    func chooseEndpoint() {
        guard let current = self.current, let endpoint = self.nextEndpoint(for: current) else {
            return self.handle(.noEndpoint)
        }
        self.choose(endpoint)
        self.current?.endpoints.append(endpoint)
        self.handle(.endpointChosen)
    }

    /// A client's connection keeps its endpoint while that can be used, unless each request says where it goes.
    private func nextEndpoint(for current: PassedRequest) -> Endpoint? {
        if current.endpoints.isEmpty, current.backend.placing.keepsConnections, let last = self.endpoint,
            last.isAvailable, current.backend.has(last)
        {
            return last
        }
        return current.configuration.chooseEndpoint(
            of: current.backend, except: current.endpoints, for: current.placement, now: self.loop.now)
    }

    // MARK: - Connect

    func connect() {
        guard let current = self.current, let endpoint = self.endpoint else { return }
        let preface = current.backend.preface(self.client.announcement)
        if self.mayReuse(for: current, preface) { return self.handle(.connected(isReused: true)) }
        self.closeBackend()
        self.preface = preface
        switch endpoint.addresses(at: self.loop.now) {
        case .success(let addresses) where !addresses.isEmpty:
            let connector = current.configuration.connector(
                to: endpoint, of: current.backend, at: addresses, tag: Leg.backend.tag,
                preface: preface, within: current.route.settings.timeouts.connect,
                until: .never, self.context.connections, for: self)
            self.connector = connector
            connector.start()
        case .success: self.handle(.noAddress("its name is not resolved yet"))
        case .failure(let error): self.handle(.noAddress("\(error)"))
        }
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        self.connector = nil
        switch failure {
        case .shortage(let error): self.handle(.cannotConnect("\(error)"))
        case .host(let failure):
            if let endpoint = self.endpoint { self.context.owner?.unreachable(endpoint) }
            self.handle(.notConnected(failure.reason, wasSilent: failure.silent != .none))
        }
    }

    func connected(_ connection: Connection) {
        self.attach(connection, madeWith: self.current?.configuration)
        self.connector = nil
        self.handle(.connected(isReused: false))
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        let hasWorked = self.connector?.makeHandshakeStep() ?? false
        if hasWorked { self.context.metrics.handshakeWaited(waited) }
        return hasWorked
    }

    // MARK: - Events

    /// There is news of the backend's connection.
    func ready(_ connection: Connection, _ readiness: Readiness) {
        if let connector = self.connector { return connector.shakeHands() }
        guard self.current != nil else {
            // What comes between requests is no answer to one: the connection is of no use any more.
            if connection.mayRead { self.closeBackend() }
            return
        }
        if connection.hasFlushed, !self.isAboveLowWater(connection) { self.resumeClient() }
        self.readAnswer()
    }

    /// The memory of the queue for the backend grew by `bytes`, or shrank if that is negative.
    func queued(changedBy bytes: Int) {
        self.context.memory.change(.queued, by: bytes)
        self.client.noteHolding()
    }
}
