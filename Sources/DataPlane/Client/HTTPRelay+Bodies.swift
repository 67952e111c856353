internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// What passes between client and backend, and back-pressure. Nothing is held but what a socket does not accept.
extension HTTPRelay {
    // MARK: - The request

    func send(_ current: PassedRequest) {
        guard let backend = self.backend, let webSocket = self.endpoint?.webSocket else { return }
        let head = current.request.bytes(
            to: webSocket, on: current.route.settings.path, host: current.backend.settings.host,
            id: self.client.id.description, without: current.backend.placing.ownCookie)
        backend.send(head.span)
        self.loop.budget.spend(Work.head(head.count))
        current.lastPiece = self.loop.now
        self.setDeadline(at: self.loop.now + current.shortestWait)
        let early = self.client.takeEarly()
        if !early.isEmpty { self.passRequest(early.span) }
        self.readRequest()
        // It may have sent something already.
        if backend.mayRead { self.readAnswer() }
    }

    /// There is news of the client's connection, or it is its turn to read on.
    func ready(client: Connection, _ readiness: Readiness) {
        if client.hasFlushed, !self.isAboveLowWater(client) { self.resumeBackend() }
        self.readRequest()
        // Behind a whole request, an end means that the answer is not waited for.
        if client.hasEnded, self.current?.machine.requestBody == .whole { self.handle(.clientLeft) }
    }

    /// Reads the request's body and passes it on, as far as the backend accepts it.
    private func readRequest() {
        guard self.takesRequest, let client = self.client.connection else { return }
        let plaintext = self.context.connections.buffers.plaintext
        while self.takesRequest, client.mayRead, !client.isPaused, client.isOpen {
            switch client.receive(atMost: self.readSize) {
            case .bytes(let range):
                self.client.heard(client)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: client.tls != nil))
                self.passRequest(plaintext.span.extracting(range))
            case .incomplete: self.client.heard(client)
            case .nothing: break
            case .end, .failed: return self.handle(.clientLeft)
            }
            if self.loop.budget.isShareSpent { break }
        }
        if self.takesRequest, client.mayRead, !client.isPaused { client.readAgainLater() }
    }

    /// Whether the backend's connection is there and the request is not whole.
    private var takesRequest: Bool {
        guard let current = self.current, current.machine.requestBody != .whole else { return false }
        switch current.machine.state {
        case .awaitingAnswer, .answering: return true
        case .choosing, .connecting, .over: return false
        }
    }

    private func passRequest(_ bytes: Span<UInt8>) {
        guard let backend = self.backend else { return }
        self.handle(.requestBodyDue)
        var index = 0
        let progress = self.current?.body.pass(bytes, from: &index) { backend.send($0) }
        if let current = self.current { self.spend(current.body.takeFraming(), on: current) }
        self.current?.lastPiece = self.loop.now
        // What comes behind the request is the next one.
        if index < bytes.count { self.client.keepEarly(bytes.extracting(index..<bytes.count)) }
        switch progress {
        case .more: if self.isAboveHighWater(backend) { self.client.connection?.pause() }
        case .done: self.handle(.requestWhole)
        case .invalid(let failure): self.handle(.requestInvalid(failure))
        case .tooLarge: self.handle(.requestTooLarge)
        case nil: break
        }
    }

    // MARK: - The answer

    /// Reads the backend's answer and passes it on, as far as the client accepts it.
    func readAnswer() {
        guard let current = self.current, let backend = self.backend else { return }
        let plaintext = self.context.connections.buffers.plaintext
        while self.current === current, self.backend === backend, backend.mayRead, !backend.isPaused {
            switch backend.receive(atMost: self.readSize) {
            case .bytes(let range):
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: backend.tls != nil))
                self.passAnswer(plaintext.span.extracting(range), to: current)
            case .incomplete, .nothing: break
            case .end(let inOrder): return self.answerEnded(inOrder: inOrder)
            case .failed(let failure): return self.answerBroke("\(failure)")
            }
            if self.loop.budget.isShareSpent { break }
        }
        if self.current === current, self.backend === backend, backend.mayRead, !backend.isPaused {
            backend.readAgainLater()
        }
    }

    /// Passes on what came of the answer.
    func passAnswer(_ bytes: Span<UInt8>, to current: PassedRequest) {
        var index = 0
        while self.current === current, current.head == nil {
            switch current.heads.next(in: bytes, from: &index) {
            // Interim answers may be many, and the client gets them, too.
            case .needsMore: return self.holdBackend()
            case .interim(let head):
                self.client.connection?.send(head.span)
                // The client may have waited for this before it sends its body: its time begins now.
                if current.machine.requestBody == .held { current.lastPiece = self.loop.now }
                self.handle(.requestBodyDue, of: current)
            case .head(let head): self.received(head, for: current)
            case .bad(let reason): return self.handle(.answerInvalid(reason), of: current)
            }
        }
        guard self.current === current, let client = self.client.connection,
            let progress = current.answer?.pass(bytes, from: &index, send: { client.send($0) })
        else { return }
        if let framing = current.answer?.takeFraming() { self.spend(framing, on: current) }
        switch progress {
        case .more: self.holdBackend()
        case .done: self.handle(.answerWhole(hasMore: index < bytes.count), of: current)
        case .invalid(let failure): self.handle(.answerInvalid("\(failure)"), of: current)
        case .tooLarge: break
        }
    }

    private func received(_ head: PassedHead, for current: PassedRequest) {
        current.head = head
        // A client may be able to provoke a 500, so that says nothing of the endpoint.
        if head.status < 500, let endpoint = self.endpoint { self.context.owner?.succeeded(endpoint) }
        current.counts.answered(after: self.loop.now - current.began)
        let keepsClient = current.request.keepsClient && !head.endsWithConnection && !self.context.isDraining
        let keepsBackend = head.keepsBackend && !current.isUpgrade
        self.handle(.answerHead(keepsClient: keepsClient, keepsBackend: keepsBackend), of: current)
    }

    /// Sends the client the head of the answer.
    func passHead(of current: PassedRequest, keepsClient: Bool) {
        guard let head = current.head else { return }
        var cookies = self.client.summary.cookies
        if head.status < 500, let cookie = self.placementCookie(current) { cookies.append("Set-Cookie", cookie) }
        let bytes = head.bytes(
            keepsClient: keepsClient, headers: current.route.settings.headers, cookies: cookies,
            date: WallClock.httpDate())
        self.client.connection?.send(bytes.span)
        current.answer = head.passage
    }

    /// The cookie that leads the client back to its endpoint, where it needs one.
    private func placementCookie(_ current: PassedRequest) -> String? {
        guard current.backend.placing.ownCookie != nil,
            let place = self.endpoint.flatMap({ current.backend.place(of: $0) })
        else { return nil }
        return current.backend.placing.setCookie(
            from: place, after: current.placement, isSecure: current.request.isSecure)
    }

    private func answerEnded(inOrder: Bool) {
        guard inOrder, let client = self.client.connection,
            case .done? = self.current?.answer?.receivedEOF(send: { client.send($0) })
        else { return self.answerBroke("its connection ended") }
        self.handle(.answerWhole(hasMore: false))
    }

    private func answerBroke(_ reason: String) {
        self.handle(.backendEnded(reason, hasAnswered: self.current?.heads.hasReceived ?? false))
    }

    /// More chunks in one read are so many that others would wait for a larger one.
    private static let mostChunks = 256
    /// A read of chunks of one byte takes about 0.1 ms.
    private static let fineRead = 4 << 10

    private var readSize: Int {
        let size = self.context.memory.readSize
        return self.current?.isFinelyChunked == true ? min(size, Self.fineRead) : size
    }

    private func spend(_ framing: BodyPassage.Framing, on request: PassedRequest) {
        self.loop.budget.spend(Work.framing(chunks: framing.chunks, bytes: framing.bytes))
        if framing.chunks > Self.mostChunks { request.isFinelyChunked = true }
    }

    // MARK: - Back-pressure

    private var queueLimit: Int {
        self.current?.route.settings.limits.queue.rawValue ?? ConnectionBuffers.readSize
    }

    private func isAboveHighWater(_ connection: Connection) -> Bool {
        connection.isAboveHighWater(of: self.queueLimit, self.context.memory.bound)
    }

    func isAboveLowWater(_ connection: Connection) -> Bool {
        connection.isAboveLowWater(of: self.queueLimit, self.context.memory.bound)
    }

    /// The answer is not read while too much of it waits for the client.
    private func holdBackend() {
        if let client = self.client.connection, self.isAboveHighWater(client) { self.backend?.pause() }
    }

    /// The backend accepts more of the request.
    func resumeClient() {
        guard let client = self.client.connection, client.isPaused else { return }
        client.resume()
        // It could not send meanwhile: its time begins anew.
        self.current?.lastPiece = self.loop.now
        self.readRequest()
    }

    /// The client accepts more of the answer.
    func resumeBackend() {
        guard let backend = self.backend, backend.isPaused else { return }
        backend.resume()
        self.readAnswer()
    }
}
