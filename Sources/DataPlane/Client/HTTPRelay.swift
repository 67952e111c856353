internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// Passes the plain requests of one client's connection to backends, one after the other: the shell that acts.
///
/// `ExchangeMachine` decides; this class tells it what happened and carries out its actions. It stays with the client's connection between
/// requests, because it keeps the backend's connection, which no other client gets. This file has the life of a request,
/// `HTTPRelay+Backend` the way to the backend, `HTTPRelay+Bodies` what passes, and `HTTPRelay+Deadlines` what is due.
final class HTTPRelay: TimerHandler {
    /// A reference cycle that ends with the client's connection.
    let client: ClientConnection
    let context: SessionContext
    let loop: EventLoop
    /// `nil` between requests.
    var current: PassedRequest?
    /// The connection to the endpoint that has the present request, or had the last one.
    private(set) var backend: Connection?
    /// The configuration that this connection was made with; `nil` if no other request may have it.
    private var madeWith: WorkerConfiguration?
    /// What that connection began with: a PROXY header, or nothing.
    var preface: [UInt8] = []
    /// Where the last request went.
    private(set) var endpoint: Endpoint?
    /// The backend that it was chosen from, while its connection is there.
    private(set) var chosenFrom: Backend?
    /// When the last answer was whole.
    var keptSince = MonotonicInstant(nanoseconds: 0)
    /// Not `nil` while an endpoint is being connected to.
    var connector: Connector? {
        didSet { oldValue?.end() }
    }
    private var timer: EventLoop.TimerID?
    /// When the timer fires, if it is set.
    private var due = MonotonicInstant.never

    init(for client: ClientConnection) {
        self.client = client
        self.context = client.context
        self.loop = client.loop
    }

    /// Begins to pass a request on.
    func begin(_ request: PassedRequest) {
        self.take(request)
        self.act(on: request.machine.start(), of: request)
    }

    /// Passes on the answer of a backend that refuses an upgrade.
    ///
    /// - Parameters:
    ///   - backend: the session's connection to `endpoint`.
    ///   - bytes: what came of the answer.
    func begin(_ request: PassedRequest, refusedBy endpoint: Endpoint, over backend: Connection, _ bytes: [UInt8]) {
        self.closeBackend()
        self.choose(endpoint, of: request.backend)
        request.choose(endpoint)
        self.attach(backend.handOver(to: self), madeWith: nil)
        self.take(request)
        self.setDeadline(at: self.loop.now + request.shortestWait)
        self.passAnswer(bytes.span, to: request)
        self.readAnswer()
    }

    private func take(_ request: PassedRequest) {
        self.current = request
        request.counts.began()
        self.client.owner.passes(self.client)
    }

    /// Something happened to the present request, if there is one.
    func handle(_ input: ExchangeMachine.Input) {
        if let current = self.current { self.handle(input, of: current) }
    }

    /// Tells the machine what happened, and carries out its action. Does nothing for a request that is not the present one any more.
    func handle(_ input: ExchangeMachine.Input, of current: PassedRequest) {
        if self.current === current { self.act(on: current.machine.handle(input), of: current) }
    }

    private func act(on action: ExchangeMachine.Action, of current: PassedRequest) {
        switch action {
        case .nothing: break
        case .chooseEndpoint(let failure):
            if let failure { self.blame(self.refusal(.backend(failure), current.request.routeIndex)) }
            self.chooseEndpoint(for: current)
        case .connect: self.connect(for: current)
        case .connectAnew:
            self.closeBackend()
            self.connect(for: current)
        case .sendRequest: self.send(current)
        case .passAnswer(let keepsClient): self.passHead(of: current, keepsClient: keepsClient)
        case .refuse(let why, let blamesEndpoint): self.refuse(current, why, blamesEndpoint: blamesEndpoint)
        case .abort(let reason): self.abort(current, because: reason)
        case .end(let keepsClient, let keepsBackend):
            self.end(current, keepsClient: keepsClient, keepsBackend: keepsBackend)
        }
    }

    // MARK: - Ends

    private func end(_ current: PassedRequest, keepsClient: Bool, keepsBackend: Bool) {
        // What may still be read, be it only an end, would be taken for the next answer.
        if keepsBackend, self.backend?.mayRead == false {
            self.keptSince = self.loop.now
            self.setDeadline(at: self.keptSince + ExchangeMachine.longestKept)
        } else {
            self.closeBackend()
        }
        self.hasEnded(current, keepsClient: keepsClient)
    }

    /// The client gets no whole answer, and must see that.
    private func abort(_ current: PassedRequest, because reason: String) {
        self.closeBackend()
        self.hasEnded(current, brokenOff: reason)
    }

    private func refuse(_ current: PassedRequest, _ why: ExchangeMachine.Refused, blamesEndpoint: Bool) {
        let refusal = self.refusal(why, current.request.routeIndex)
        if blamesEndpoint { self.blame(refusal) }
        self.closeBackend()
        self.current = nil
        current.counts.ended(status: refusal.status)
        var subject = self.subject(of: current)
        subject.asked = RequestedPlace(current.request.head)
        self.client.refuse(refusal, of: subject, in: .requestHead)
    }

    private func refusal(_ why: ExchangeMachine.Refused, _ index: Int) -> Refusal {
        switch why {
        case .badBody(let failure): .badBody(failure, routeIndex: index)
        case .bodyTooLarge: .bodyTooLarge(routeIndex: index)
        case .bodyTimeout: .bodyTimeout(routeIndex: index)
        case .backend(let failure): .opening(failure, of: self.endpoint, isSession: false, routeIndex: index)
        }
    }

    /// It counts as a failure of the endpoint.
    private func blame(_ refusal: Refusal) {
        if let endpoint = self.endpoint { self.context.owner?.failed(endpoint, because: refusal.detail) }
    }

    /// - Parameter reason: why the answer is not whole; `nil` if it is.
    private func hasEnded(_ current: PassedRequest, brokenOff reason: String? = nil, keepsClient: Bool = false) {
        self.current = nil
        let report = RequestReport(
            status: current.head?.status, bytes: current.answer?.passed ?? 0,
            duration: self.loop.now - current.began, brokenOff: reason)
        current.counts.ended(status: report.status)
        self.client.requestEnded(
            report, (current.request.method, current.request.target.path), of: self.subject(of: current),
            keepsClient: keepsClient)
    }

    /// What the log lines begin with. The relay's endpoint may be an earlier request's.
    private func subject(of request: PassedRequest) -> LogSubject {
        LogSubject(
            id: self.client.id, address: self.client.address, summary: self.client.summary, route: request.route,
            endpoint: request.endpoint)
    }

    // MARK: - The backend's connection

    /// The present request goes to `endpoint`, which is one of `backend`.
    func choose(_ endpoint: Endpoint, of backend: Backend) {
        if endpoint !== self.endpoint {
            self.closeBackend()
            self.endpoint = endpoint
        }
        if backend !== self.chosenFrom { self.chosenFrom = backend }
    }

    /// - Parameter configuration: `nil` if no other request may have it.
    func attach(_ backend: Connection, madeWith configuration: WorkerConfiguration?) {
        self.backend = backend
        self.madeWith = configuration
    }

    /// Whether the connection of an earlier request can carry the present one.
    ///
    /// A reload may have changed what it was made with, such as the certificate that is shown to the endpoint. Where the endpoint is told the
    /// client, a connection has the requests of one client.
    ///
    /// - Parameter preface: what a new connection would begin with.
    func mayReuse(for current: PassedRequest, _ preface: [UInt8]) -> Bool {
        self.backend?.isOpen == true && self.madeWith === current.configuration && self.preface == preface
            && ExchangeMachine.mayReuse(
                keptFor: self.loop.now - self.keptSince, isRepeatable: current.request.isRepeatable)
    }

    /// Closes the backend's connection: nothing of it is of use any more.
    func closeBackend() {
        self.connector = nil
        self.backend?.close(abruptly: true)
        self.backend = nil
        self.madeWith = nil
        self.chosenFrom = nil
    }

    /// The client's connection is closed, or a session has it.
    func close() {
        self.closeBackend()
        self.loop.cancelTimer(&self.timer)
    }

    // MARK: - Timer

    func timerFired() {
        self.timer = nil
        self.check()
    }

    /// Calls `check` at `instant` at the latest. An earlier timer is left alone, because most requests are over before it fires.
    func setDeadline(at instant: MonotonicInstant) {
        guard self.timer == nil || instant < self.due else { return }
        self.due = instant
        self.loop.setTimer(&self.timer, at: instant, self)
    }
}

extension HTTPRelay: Exchange {
    var phase: Phase { .requestHead }

    /// Only sessions have rows.
    var row: SessionRow? { nil }

    var queuedBytes: Int { self.backend?.queuedBytes ?? 0 }

    var isPlain: Bool { true }

    var hasAnswered: Bool { self.current?.head != nil }

    func close(_ ending: Ending) { self.handle(.ordered(ending.cause)) }

    func memoryNeeded() { self.handle(.memoryNeeded) }

    func isSelected(by selection: SessionSelection) -> Bool {
        switch selection {
        case .all: true
        case .ofBackend(let name): self.current?.backend.name == name
        case .ofEndpoint(let endpoint): self.endpoint === endpoint
        case .these: false
        }
    }
}
