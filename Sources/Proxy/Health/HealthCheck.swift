internal import Configuration
internal import System
internal import TLS

/// One check of one endpoint: a connection that a `Probe` talks through, on the control thread's loop.
///
/// It ends as sessions do, with both sides read to their ends, so that a backend's log has no line for each check.
final class HealthCheck: ReadinessHandler, TimerHandler, ConnectorOwner {
    enum Result: Equatable {
        case passed(after: Duration)
        /// Why, in a few words.
        case failed(String)
        /// Nothing was learnt, for a reason of ours.
        case skipped(String)
    }

    /// What all checks of a thread use in turn.
    final class Means {
        let loop: EventLoop
        let tlsIO = TLSIO()
        fileprivate let received = ReadBuffer(count: 32 << 10)
        fileprivate let plaintext = ReadBuffer(count: 64 << 10)
        /// Hears of endpoints that could be connected to at none of their addresses.
        let unreachable: (Endpoint) -> Void

        init(_ loop: EventLoop, unreachable: @escaping (Endpoint) -> Void) {
            self.loop = loop
            self.unreachable = unreachable
        }
    }

    /// Whom and how to check.
    struct Subject {
        var endpoint: Endpoint
        var settings: HealthCheckSettings
        /// Where connections come from.
        var source: SocketAddress?
        /// `nil`: without TLS.
        var tls: TLSClientContext?
        /// What TLS sends and verifies.
        var serverName: String?
    }

    private enum Stage {
        case connecting
        case tlsHandshake
        case talking
        case ended
    }

    private static let readsPerTurn = 8

    private let subject: Subject
    private let means: Means
    private unowned let owner: CheckSchedule
    private var probe: Probe
    private let began = MonotonicInstant.now()
    /// Until the connection stands, TLS included.
    private var connector: Connector? {
        didSet { oldValue?.end() }
    }
    private var stage = Stage.connecting
    private var hasResult = false
    private var timer: EventLoop.TimerID?
    private var connection: CheckConnection

    init(_ subject: Subject, _ means: Means, owner: CheckSchedule) {
        self.subject = subject
        self.means = means
        self.owner = owner
        self.connection = CheckConnection(means.loop, means.tlsIO)
        let webSocket = subject.endpoint.webSocket
        self.probe = Probe(
            subject.settings, host: webSocket?.authority ?? Self.host(subject.endpoint.address),
            path: webSocket?.path ?? "/")
    }

    private static func host(_ address: Address) -> String {
        if case .tcp = address { address.description } else { "localhost" }
    }

    /// The owner hears of the result and, later, of the end: possibly before this returns.
    func start() {
        switch self.subject.endpoint.addresses(at: self.means.loop.now) {
        case .success(let addresses) where addresses.isEmpty: self.give(up: "its name is not resolved yet")
        case .success(let addresses): self.connect(to: addresses)
        case .failure(let error): self.give(up: "\(error)")
        }
    }

    /// Ends it without a result.
    func cancel() {
        self.hasResult = true
        self.close()
    }

    private func setTimer(at deadline: MonotonicInstant) {
        self.means.loop.setTimer(&self.timer, at: deadline, self)
    }

    // MARK: - Results

    private func conclude(_ result: Result) {
        guard !self.hasResult else { return }
        self.hasResult = true
        // Now the closing handshake has its time.
        self.setTimer(at: .now() + self.subject.settings.timeout)
        self.owner.checked(result)
    }

    private func give(up reason: String) {
        self.conclude(.failed(reason))
        self.end()
    }

    func timerFired() {
        self.timer = nil
        self.timedOut()
    }

    private func timedOut() {
        let timeout = self.subject.settings.timeout
        if self.stage == .tlsHandshake { return self.give(up: "no TLS handshake within \(timeout.shown)") }
        self.take(self.probe.timedOut(after: timeout))
        self.end()
    }

    private func take(_ verdict: Probe.Verdict?) {
        switch verdict {
        case nil: break
        case .passed: self.conclude(.passed(after: .now() - self.began))
        case .failed(let reason): self.conclude(.failed(reason))
        }
    }

    private func act(_ step: Probe.Step) {
        self.connection.send(step.send)
        self.take(step.verdict)
        if step.endsWriting { self.connection.finish() }
        if step.isOver { self.end() }
    }

    private func end() {
        guard self.stage != .ended else { return }
        // A peer that waits for our close_notify, as RFC 8446 section 6.1 lets it, gets one.
        if self.stage == .talking { self.connection.finish() }
        self.close()
        self.owner.checkEnded()
    }

    private func close() {
        self.stage = .ended
        self.connector = nil
        self.means.loop.cancelTimer(&self.timer)
        self.connection.close()
    }

    // MARK: - Connecting

    private func connect(to addresses: [SocketAddress]) {
        let connector = Connector(
            to: self.subject.endpoint, at: addresses, from: self.subject.source, within: self.subject.settings.timeout,
            on: self.means.loop, for: self)
        self.connector = connector
        connector.start()
    }

    func connected(_ descriptor: Int32, to address: SocketAddress) {
        do {
            let tls = try self.subject.tls?.makeConnection(serverName: self.subject.serverName)
            try self.connection.open(descriptor, tls: tls, self)
        } catch {
            Kernel.close(descriptor)
            return self.give(up: "\(error)")
        }
        guard self.connection.tls != nil else { return self.connected() }
        self.stage = .tlsHandshake
        self.shakeHands([UInt8]().span)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .gateway(let reason):
            self.conclude(.skipped(reason))
            self.end()
        case .endpoint(let failure):
            self.means.unreachable(self.subject.endpoint)
            if failure.silent == .all { self.timedOut() } else { self.give(up: failure.reason) }
        }
    }

    /// The connection is of no use: the endpoint's other addresses are tried.
    private func connectionFailed(_ reason: String) {
        self.connection.close()
        self.stage = .connecting
        self.connector?.failed(because: reason)
    }

    private func connected() {
        self.connector = nil
        self.stage = .talking
        self.setTimer(at: self.began + self.subject.settings.timeout)
        self.act(self.probe.connected())
    }

    private func shakeHands(_ ciphertext: Span<UInt8>) {
        guard let tls = self.connection.tls else { return }
        let result = tls.handshake(ciphertext)
        self.connection.sendCiphertext()
        switch result {
        case .wantsRead: break
        case .failed(let error): self.connectionFailed("TLS: \(error)")
        case .done:
            self.connected()
            // The endpoint's first words may have come with it.
            self.decrypt([UInt8]().span)
        }
    }

    // MARK: - Reading

    func ready(_ readiness: Readiness) {
        switch self.stage {
        case .connecting, .ended: break
        case .tlsHandshake, .talking:
            if readiness.isWritable { self.connection.flush() }
            self.read()
        }
    }

    private func read() {
        for _ in 0..<Self.readsPerTurn {
            guard self.stage == .tlsHandshake || self.stage == .talking else { return }
            let buffer = self.means.received
            var room = buffer.mutableSpan
            switch self.connection.receive(into: &room) {
            case .bytes(let count, _): self.received(buffer.span.extracting(0..<count))
            case .wouldBlock: return
            case .end: return self.receivedEnd()
            case .failed(let error):
                if self.stage == .tlsHandshake { return self.connectionFailed(error.reason) }
                return self.give(up: error.reason)
            }
        }
        self.connection.readAgainLater()
    }

    private func received(_ bytes: Span<UInt8>) {
        if self.connection.tls == nil {
            self.act(self.probe.received(bytes))
        } else if self.stage == .tlsHandshake {
            self.shakeHands(bytes)
        } else {
            self.decrypt(bytes)
        }
    }

    private func decrypt(_ ciphertext: Span<UInt8>) {
        guard self.stage == .talking, let tls = self.connection.tls else { return }
        let buffer = self.means.plaintext
        var room = buffer.mutableSpan
        let result = tls.decrypt(ciphertext, into: &room)
        self.connection.sendCiphertext()
        if result.count > 0 { self.act(self.probe.received(buffer.span.extracting(0..<result.count))) }
        guard self.stage == .talking else { return }
        switch result.state {
        case .closed: self.act(self.probe.receivedEOF())
        case .failed(let error): self.give(up: "TLS: \(error)")
        case .open: if result.hasMore { self.decrypt([UInt8]().span) }
        }
    }

    private func receivedEnd() {
        guard self.stage == .talking else {
            return self.connectionFailed("the connection ended in the TLS handshake")
        }
        self.act(self.probe.receivedEOF())
    }
}
