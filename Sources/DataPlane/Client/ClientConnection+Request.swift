internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// The request head, and what it leads to.
extension ClientConnection {
    /// Reads until a request head is whole, as far as it is there.
    func readRequests() {
        guard let connection = self.connection else { return }
        // What came behind the last request.
        if !self.request.bytes.isEmpty, self.mayBegin(connection) { self.parse(Span()) }
        let plaintext = self.context.connections.buffers.plaintext
        while self.mayBegin(connection), connection.mayRead {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(connection)
                self.loop.budget.spend(Work.read + Work.head(range.count))
                self.memory.madeProgress(at: self.loop.now)
                self.parse(plaintext.span.extracting(range))
            case .incomplete: self.heard(connection)
            case .nothing: break
            case .end(let inOrder): return self.handle(.ended(inOrder ? .inOrder : .truncated))
            case .failed: return self.handle(.ended(.failed))
            }
        }
        // The connection is quiet now, until the backend answers or the rest of the request comes.
        connection.tls?.releaseBuffers()
        // An end that came together with the request is not reported again.
        if connection.hasEnded { self.exchange?.ready(client: connection, .none) }
    }

    /// Whether a request may begin: not while the client does not accept its last answer, and not before others had their turn.
    private func mayBegin(_ connection: Connection) -> Bool {
        switch self.machine.state {
        case .requestHead: true
        case .idle: connection.queuedBytes == 0 && !connection.isScheduled
        case .proxyHeader, .tlsHandshake, .exchange, .answering, .over: false
        }
    }

    /// Reads on in the request head, of which `bytes` came.
    private func parse(_ bytes: Span<UInt8>) {
        if self.machine.state == .idle { self.handle(.requestBegan) }
        switch self.request.take(bytes) {
        case .incomplete: break
        case .invalid(let error): self.turnAway(Refusal(error), nil)
        case .head(let head, let rest):
            self.early = rest
            self.request = PartialRequest(self.listener.settings.limits)
            self.owner.isNoLongerNew(self)
            self.admit(head)
        }
        self.assembles(self.request.bytes.capacity + self.early.capacity)
    }

    private func admit(_ head: RequestHead) {
        let configuration = self.context.configuration.shared
        self.loop.budget.spend(Work.admission)
        let arrival = Arrival(
            peer: self.address.ip, listenerIsSecure: self.listener.tlsContext != nil,
            trustedProxies: configuration.settings.trustedProxies)
        let hops = Hops(head.fields, arrival)
        self.summary.client = hops.client
        self.summary.names = RequestNames.of(head.fields, arrival)
        self.summary.origin = head.fields.first("Origin")?.cut
        let decision = Admission.decide(
            head, hops, configuration.routeTable,
            hasCertificate: self.certificate(for: configuration.routeTable) != nil)
        let index = decision.routeIndex
        let route = index.map { configuration.routes[$0] }
        if let refusal = self.count(head, route, at: index) {
            self.route = route
            return self.turnAway(refusal, head)
        }
        self.follow(decision, head, self.context.configuration)
    }

    /// Does what was decided.
    ///
    /// - Parameter current: the configuration in force when its head was whole.
    func follow(_ decision: Admission.Decision, _ head: RequestHead, _ current: WorkerConfiguration) {
        let configuration = current.shared
        switch decision {
        case .page(let page, let routeIndex, let host, let scheme, let headOnly):
            self.route = configuration.routes[routeIndex]
            self.show(
                .page(page, configuration, scheme, host: host), to: head, headOnly: headOnly, keepsClient: false)
        case .answer(let answer, let routeIndex, let headOnly, let keepsClient):
            self.route = configuration.routes[routeIndex]
            self.show(answer, to: head, headOnly: headOnly, keepsClient: keepsClient)
        case .pass(let request): self.pass(request, current)
        case .files(let request): self.serve(request, configuration.routes[request.routeIndex])
        case .refused(let refusal):
            self.route = refusal.routeIndex.map { configuration.routes[$0] }
            self.turnAway(refusal, head)
        case .upgrade(let admitted): self.begin(admitted, head, current)
        case .demands(let demand, let decision):
            self.judge(JudgedRequest(demand: demand, decision: decision, head: head, configuration: current))
        }
    }

    /// Begins to pass a plain request on.
    private func pass(_ request: PlainRequest, _ configuration: WorkerConfiguration) {
        let route = configuration.shared.routes[request.routeIndex]
        guard let backend = route.backend, self.machine.handle(.admitted) == .beginExchange else { return }
        self.route = route
        self.clearDeadline()
        self.beginRelay().begin(
            PassedRequest(
                request, to: route, of: backend, configuration,
                counts: self.context.metrics.requests(of: route.settings.name), client: self.clientName,
                began: self.began, at: self.loop.now))
    }

    /// What passes plain requests on is the exchange now.
    func beginRelay() -> HTTPRelay {
        if let relay = self.relay {
            self.exchange = relay
            return relay
        }
        let relay = HTTPRelay(for: self)
        self.relay = relay
        self.exchange = relay
        return relay
    }

    /// Begins to look for a file.
    private func serve(_ request: FileRequest, _ route: Route) {
        guard self.machine.handle(.admitted) == .beginExchange else { return }
        self.route = route
        self.clearDeadline()
        let exchange = FileExchange(request, on: route, for: self)
        self.exchange = exchange
        exchange.begin()
    }

    /// Takes what came behind the request's head.
    func takeEarly() -> [UInt8] {
        let early = self.early
        self.early = []
        self.assembles(0)
        return early
    }

    /// Keeps what came behind the request: it is the next one.
    func keepEarly(_ bytes: Span<UInt8>) {
        self.early.append(bytes)
        self.assembles(self.early.capacity)
    }

    /// Begins to open a session.
    private func begin(_ admitted: Admitted, _ head: RequestHead, _ configuration: WorkerConfiguration) {
        let route = configuration.shared.routes[admitted.routeIndex]
        self.route = route
        let target: Endpoint?
        do throws(Refusal) { target = try self.target(of: admitted, route) } catch {
            return self.turnAway(error, head)
        }
        guard let seat = self.takeSeat(on: route, at: admitted.routeIndex, head) else { return }
        guard self.machine.handle(.admitted) == .beginExchange else { return seat.leave() }
        self.summary.hasEncodedSlash = admitted.target.hasEncodedSlash
        self.clearDeadline()
        // The session has a backend connection of its own, and a client has two descriptors.
        self.relay?.closeBackend()
        let session = Session(
            for: self, of: self.subject, since: (began: self.began, lastByte: self.lastByte), admitted, to: route,
            at: target, configuration, self.context)
        session.seat = seat
        self.exchange = session
        session.start()
    }

    /// The endpoint that the request's token stands for; `nil` where the configuration names the endpoints.
    private func target(of admitted: Admitted, _ route: Route) throws(Refusal) -> Endpoint? {
        guard let tokens = route.backend?.tokens, let token = admitted.token else { return nil }
        return try tokens.endpoint(for: token, routeIndex: admitted.routeIndex)
    }
}
