internal import Configuration
internal import Connections
internal import DataPlane
internal import System
internal import TLS

/// One check of one endpoint, on the control thread: the connection, and a `Probe` that decides what to send.
///
/// Both sides are read to their ends, as in a session. Otherwise the backend would log an error for each check.
final class HealthCheck: TimerHandler, ConnectorOwner {
    enum Result: Equatable {
        case passed(after: Duration)
        /// - Parameter reason: a few words for the log.
        case failed(String)
        /// Nothing was learnt about the endpoint, because the gateway itself lacks something, such as descriptors.
        case skipped(String)
    }

    /// What the checks of a thread share.
    final class Means {
        fileprivate static let readSize = 32 << 10

        let context: ConnectionContext
        /// Called with an endpoint if none of its addresses can be connected to.
        let unreachable: (Endpoint) -> Void

        init(_ loop: EventLoop, unreachable: @escaping (Endpoint) -> Void) {
            self.context = ConnectionContext(loop, readSize: Self.readSize)
            self.unreachable = unreachable
        }
    }

    /// What to check and how.
    struct Subject {
        var endpoint: Endpoint
        var settings: BackendSettings.HealthCheck
        /// The local address to connect from.
        var source: SocketAddress?
        /// What the connection begins with, before TLS.
        var preface: [UInt8] = []
        /// `nil` if the endpoint is without TLS.
        var tls: TLSClientContext?
        /// The name that TLS sends and verifies.
        var serverName: String?
    }

    private enum Stage {
        case connecting
        case talking
        case ended
    }

    private static let readsPerTurn = 8

    private let subject: Subject
    private let means: Means
    private unowned let owner: CheckSchedule
    private var probe: Probe
    private let began = MonotonicInstant.now()
    /// Used until the connection is open, TLS included.
    private var connector: Connector? {
        didSet { oldValue?.end() }
    }
    private var stage = Stage.connecting
    private var hasResult = false
    private var timer: EventLoop.TimerID?
    private var connection: Connection?

    init(_ subject: Subject, _ means: Means, owner: CheckSchedule) {
        self.subject = subject
        self.means = means
        self.owner = owner
        let webSocket = subject.endpoint.webSocket
        self.probe = Probe(
            subject.settings, host: webSocket?.authority ?? Self.host(subject.endpoint.address),
            path: webSocket?.path.checked ?? "/")
    }

    private static func host(_ address: Address) -> String {
        if case .tcp = address { address.description } else { "localhost" }
    }

    /// Starts the check. It tells the owner the result and later its end, perhaps before this returns.
    func start() {
        switch self.subject.endpoint.addresses(at: self.means.context.loop.now) {
        case .success(let addresses) where addresses.isEmpty: self.fail(because: "its name is not resolved yet")
        case .success(let addresses): self.connect(to: addresses)
        case .failure(let error): self.fail(because: "\(error)")
        }
    }

    /// Ends the check without a result.
    func cancel() {
        self.hasResult = true
        self.close()
    }

    private func setTimer(at deadline: MonotonicInstant) {
        self.means.context.loop.setTimer(&self.timer, at: deadline, self)
    }

    // MARK: - Results

    private func conclude(_ result: Result) {
        guard !self.hasResult else { return }
        self.hasResult = true
        // The closing handshake has as much time as the check had.
        self.setTimer(at: .now() + self.subject.settings.timeout)
        self.owner.checked(result)
    }

    private func fail(because reason: String) {
        self.conclude(.failed(reason))
        self.end()
    }

    func timerFired() {
        self.timer = nil
        self.timedOut()
    }

    private func timedOut() {
        let timeout = self.subject.settings.timeout
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
        self.connection?.send(step.send.span)
        self.take(step.verdict)
        if step.endsWriting { self.connection?.shutDown() }
        if step.isOver { self.end() }
    }

    private func end() {
        guard self.stage != .ended else { return }
        // The peer may wait for our close_notify before it closes (RFC 8446 section 6.1).
        if self.stage == .talking { self.connection?.shutDown() }
        self.close()
        self.owner.checkEnded()
    }

    private func close() {
        self.stage = .ended
        self.connector = nil
        self.means.context.loop.cancelTimer(&self.timer)
        self.connection?.close()
        self.connection = nil
    }

    // MARK: - Connecting

    private func connect(to addresses: [SocketAddress]) {
        let subject = self.subject
        let connector = Connector(
            to: addresses, from: subject.source, preface: subject.preface,
            tls: { try subject.tls?.makeConnection(serverName: subject.serverName) }, history: subject.endpoint,
            within: subject.settings.timeout, self.means.context, for: self)
        self.connector = connector
        connector.start()
    }

    func connected(_ connection: Connection) {
        self.connector = nil
        self.connection = connection
        self.stage = .talking
        self.setTimer(at: self.began + self.subject.settings.timeout)
        self.act(self.probe.connected())
        self.read(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .shortage(let error):
            self.conclude(.skipped("\(error)"))
            self.end()
        case .host(let failure):
            self.means.unreachable(self.subject.endpoint)
            if failure.silent == .all, failure.isInHandshake {
                self.fail(because: "no TLS handshake within \(self.subject.settings.timeout.shown)")
            } else if failure.silent == .all {
                self.timedOut()
            } else {
                self.fail(because: failure.reason)
            }
        }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        self.connector?.makeHandshakeStep() ?? false
    }

    // MARK: - Reading

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch self.stage {
        case .connecting: self.connector?.shakeHands()
        case .talking: self.read(connection)
        case .ended: break
        }
    }

    private func read(_ connection: Connection) {
        for _ in 0..<Self.readsPerTurn {
            guard self.stage == .talking, connection.mayRead else { return }
            let plaintext = self.means.context.buffers.plaintext
            switch connection.receive(atMost: Means.readSize) {
            case .bytes(let range): self.act(self.probe.received(plaintext.span.extracting(range)))
            case .incomplete, .nothing: break
            case .end: self.act(self.probe.receivedEOF())
            case .failed(let failure):
                if case .tls(let error) = failure { return self.fail(because: "TLS: \(error)") }
                return self.fail(because: failure.description)
            }
        }
        connection.readAgainLater()
    }
}
