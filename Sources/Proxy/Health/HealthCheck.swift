internal import Configuration
internal import EventLoop
internal import TLS

/// One check of one endpoint: a connection that a `Probe` talks through, on the control thread's loop.
///
/// It ends as sessions do, with both sides read to their ends, so that a backend's log has no line for each check.
final class HealthCheck: ReadinessHandler, TimerHandler {
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

        init(_ loop: EventLoop) { self.loop = loop }
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
    private var addresses: ArraySlice<SocketAddress> = []
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
        self.setTimer()
        switch self.subject.endpoint.addresses {
        case .success(let addresses):
            self.addresses = addresses[...]
            self.connectToNextAddress(after: "its name is not resolved yet")
        case .failure(let error): self.give(up: "\(error)")
        }
    }

    /// Ends it without a result.
    func cancel() {
        self.hasResult = true
        self.close()
    }

    private func setTimer() {
        self.means.loop.setTimer(&self.timer, at: .now() + self.subject.settings.timeout, self)
    }

    // MARK: - Results

    private func conclude(_ result: Result) {
        guard !self.hasResult else { return }
        self.hasResult = true
        // Now the closing handshake has its time.
        self.setTimer()
        self.owner.checked(result)
    }

    private func give(up reason: String) {
        self.conclude(.failed(reason))
        self.end()
    }

    func timerFired() {
        self.timer = nil
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
        self.means.loop.cancelTimer(&self.timer)
        self.connection.close()
    }

    // MARK: - Connecting

    private func connectToNextAddress(after failure: String) {
        self.connection.close()
        self.stage = .connecting
        guard let address = self.addresses.popFirst() else { return self.give(up: failure) }
        do {
            let tls = try self.subject.tls?.makeConnection(serverName: self.subject.serverName)
            let source = address.port == nil ? nil : self.subject.source
            try self.connection.open(to: address, from: source, tls: tls, self)
        } catch let error as SystemError {
            guard error.isOutOfDescriptors else { return self.connectToNextAddress(after: error.reason) }
            self.conclude(.skipped(error.reason))
            self.end()
        } catch {
            self.give(up: "\(error)")
        }
    }

    private func connectionReady(_ readiness: Readiness) {
        if let error = self.connection.connectionResult() {
            return self.connectToNextAddress(after: error.reason)
        }
        guard readiness.isWritable else { return }
        self.connection.sendAtOnce()
        if self.connection.tls == nil {
            self.connected()
        } else {
            self.stage = .tlsHandshake
            self.shakeHands([UInt8]().span)
        }
        self.read()
    }

    private func connected() {
        self.stage = .talking
        self.act(self.probe.connected())
    }

    private func shakeHands(_ ciphertext: Span<UInt8>) {
        guard let tls = self.connection.tls else { return }
        let result = tls.handshake(ciphertext)
        self.connection.sendCiphertext()
        switch result {
        case .wantsRead: break
        case .failed(let error): self.connectToNextAddress(after: "TLS: \(error)")
        case .done:
            self.connected()
            // The endpoint's first words may have come with it.
            self.decrypt([UInt8]().span)
        }
    }

    // MARK: - Reading

    func ready(_ readiness: Readiness) {
        switch self.stage {
        case .connecting: self.connectionReady(readiness)
        case .tlsHandshake, .talking:
            if readiness.isWritable { self.connection.flush() }
            self.read()
        case .ended: break
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
            case .failed(let error): return self.give(up: error.reason)
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
            return self.connectToNextAddress(after: "the connection ended in the TLS handshake")
        }
        self.act(self.probe.receivedEOF())
    }
}
