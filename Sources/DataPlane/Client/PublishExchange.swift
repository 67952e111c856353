internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System

/// Takes the body of a request, and publishes it to a room.
final class PublishExchange: TimerHandler {
    private unowned let client: ClientConnection
    private let context: SessionContext
    private let request: PublishRequest
    private let route: Route
    private let counts: RouteRequests
    /// `nil` once the request is answered, or its client has left.
    private var payload: PublishedPayload?
    /// The body is whole, and it is being published.
    private var isPublishing = false
    /// When the last piece of the body came.
    private var lastPiece: MonotonicInstant
    private var timer: EventLoop.TimerID?

    init(_ request: PublishRequest, on route: Route, for client: ClientConnection) {
        self.request = request
        self.route = route
        self.client = client
        self.context = client.context
        self.counts = client.context.metrics.requests(of: route.settings.name)
        self.payload = request.payload
        self.lastPiece = client.loop.now
    }

    /// Begins to read the body.
    func begin() {
        self.counts.began()
        self.client.owner.passes(self.client)
        let early = self.client.takeEarly()
        if early.isEmpty, self.request.expectsContinue {
            self.client.connection?.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8).span)
        }
        self.setDeadline()
        self.take(early.span)
        self.read()
    }

    // MARK: - The body

    private func read() {
        guard let client = self.client.connection else { return }
        let plaintext = self.context.connections.buffers.plaintext
        while self.payload != nil, !self.isPublishing, client.mayRead, client.isOpen {
            switch client.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.client.heard(client)
                self.context.loop.budget.spend(Work.read + Work.bytes(range.count, tls: client.tls != nil))
                self.take(plaintext.span.extracting(range))
            case .incomplete: self.client.heard(client)
            case .nothing: break
            case .end, .failed: return self.leave()
            }
            if self.context.loop.budget.isShareSpent { break }
        }
        if self.payload != nil, !self.isPublishing, client.mayRead { client.readAgainLater() }
    }

    private func take(_ bytes: Span<UInt8>) {
        var index = 0
        guard let progress = self.payload?.take(bytes, from: &index) else { return }
        self.lastPiece = self.context.loop.now
        self.client.memory.madeProgress(at: self.lastPiece)
        // What comes behind the request is the next one.
        if index < bytes.count { self.client.keepEarly(bytes.extracting(index..<bytes.count)) }
        let size = self.payload?.bytes.capacity ?? 0
        self.client.assembles(size + self.client.early.capacity)
        switch progress {
        case .more: if self.context.memory.bound.level == .full { self.refuse(.outOfMemory) }
        case .whole: self.publish()
        case .invalid(let failure): self.refuse(.badBody(failure, routeIndex: self.request.routeIndex))
        case .tooLarge: self.refuse(.payloadTooLarge(routeIndex: self.request.routeIndex))
        }
    }

    // MARK: - The answer

    private func publish() {
        guard let backend = self.route.backend, let rooms = backend.rooms, let payload = self.payload?.bytes else {
            return
        }
        self.isPublishing = true
        self.context.loop.cancelTimer(&self.timer)
        self.client.owner.rooms.publish(
            self.request.message(payload), key: self.request.key,
            without: self.request.excluded.flatMap { SessionID($0) },
            to: ClusterOrder.Place(self.request.room, of: rooms, backend.settings.history)
        ) { [weak self] in
            self?.answer($0)
        }
    }

    private func answer(_ published: Published?) {
        guard self.payload != nil else { return }
        guard let published else {
            let isShared = self.client.owner.rooms.areShared
            let index = self.request.routeIndex
            return self.refuse(isShared ? .notPublished(routeIndex: index) : .roomsBehind(routeIndex: index))
        }
        let answer = Answer.json(published.json(of: self.request.room))
        let keepsClient = self.request.keepsClient && !self.context.isDraining
        let bytes = answer.bytes(
            keepsClient: keepsClient, headers: self.route.settings.headers, cookies: self.client.summary.cookies,
            date: WallClock.httpDate())
        self.client.connection?.send(bytes.span)
        self.counts.answered(after: self.context.loop.now - self.client.began)
        self.end(
            RequestReport(
                status: answer.status, bytes: answer.length, duration: self.context.loop.now - self.client.began,
                brokenOff: nil), keepsClient: keepsClient)
    }

    private func refuse(_ refusal: Refusal) {
        self.letGo()
        self.counts.ended(status: refusal.status)
        self.client.refuse(refusal, of: self.client.subject, in: .requestHead)
    }

    /// The client has left before its request was whole.
    private func leave() {
        self.end(
            RequestReport(
                status: nil, bytes: 0, duration: self.context.loop.now - self.client.began,
                brokenOff: "the client left before its request was whole"), keepsClient: false)
    }

    private func end(_ report: RequestReport, keepsClient: Bool) {
        self.letGo()
        self.counts.ended(status: report.status)
        self.client.requestEnded(report, ("POST", self.request.path), of: self.client.subject, keepsClient: keepsClient)
    }

    private func letGo() {
        self.payload = nil
        self.context.loop.cancelTimer(&self.timer)
        self.client.assembles(self.client.early.capacity)
    }

    // MARK: - What is due

    private func setDeadline() {
        let end = self.lastPiece + self.route.settings.timeouts.requestBody
        self.context.loop.setTimer(&self.timer, at: end, self)
    }

    func timerFired() {
        self.timer = nil
        guard self.lastPiece + self.route.settings.timeouts.requestBody <= self.context.loop.now else {
            return self.setDeadline()
        }
        self.refuse(.bodyTimeout(routeIndex: self.request.routeIndex))
    }
}

extension PublishExchange: Exchange {
    var phase: Phase { .requestHead }

    /// Only sessions have rows.
    var row: SessionRow? { nil }

    var queuedBytes: Int { 0 }

    var isPlain: Bool { true }

    var hasAnswered: Bool { false }

    func ready(client: Connection, _ readiness: Readiness) { self.read() }

    /// What is being published is answered first.
    func close(_ ending: Ending) {
        if !self.isPublishing { self.refuse(.draining(routeIndex: self.request.routeIndex)) }
    }

    func memoryNeeded() { if !self.isPublishing { self.refuse(.outOfMemory) } }

    func isSelected(by selection: SessionSelection) -> Bool {
        switch selection {
        case .all: true
        case .ofBackend(let name): self.route.backend?.name == name
        case .ofEndpoint: false
        case .these(let sessions): sessions.contains(self.client.id)
        }
    }
}
