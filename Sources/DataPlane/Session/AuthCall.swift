internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import System

/// Is told what an auth service says. It calls `end` if it does not want to know any more.
protocol AuthCallOwner: AnyObject {
    /// The call has ended.
    func answered(_ verdict: AuthVerdict)
}

/// Asks an auth service once: connects, sends the question, and reads the answer (`AuthAnswer`).
///
/// Each question has a connection of its own. So what a service sends beside its answer is never the answer to the question of another client, and
/// no connection that the service is about to close is used. TLS sessions are resumed, and most services are near: what that costs is small.
final class AuthCall: TimerHandler {
    private enum State {
        case connecting
        case asking(Connection)
        case over
    }

    /// How long a service may take beside `timeouts.connect`.
    private static let patience = Duration.seconds(5)

    private let question: AuthQuestion
    private let service: AuthService
    private let configuration: WorkerConfiguration
    private let limit: Duration
    private let deadline: MonotonicInstant
    private let context: SessionContext
    private unowned let owner: any AuthCallOwner
    private var state = State.connecting
    private var answer: AuthAnswer
    private var connector: Connector? {
        didSet { oldValue?.end() }
    }
    private var timer: EventLoop.TimerID?

    /// Does nothing before `start`.
    ///
    /// - Parameters:
    ///   - question: what is asked.
    ///   - service: one of `configuration`.
    ///   - settings: which fields of the answer count.
    ///   - connect: `timeouts.connect` of the route. Five seconds after that the service has to have answered.
    ///   - end: when the owner's own time is over.
    init(
        _ question: AuthQuestion, to service: AuthService, _ settings: ForwardSettings, within connect: Duration,
        until end: MonotonicInstant = .never, _ configuration: WorkerConfiguration, _ context: SessionContext,
        for owner: any AuthCallOwner
    ) {
        self.question = question
        self.service = service
        self.answer = AuthAnswer(to: settings)
        self.limit = connect
        self.deadline = min(context.loop.now + connect + Self.patience, end)
        self.configuration = configuration
        self.context = context
        self.owner = owner
    }

    /// Begins. The owner may be told the verdict before this returns.
    func start() {
        self.context.loop.setTimer(&self.timer, at: self.deadline, self)
        switch self.service.endpoint.addresses(at: self.context.loop.now) {
        case .success(let addresses) where !addresses.isEmpty:
            let connector = self.configuration.connector(
                to: self.service, at: addresses, within: self.limit, until: self.deadline, self.context.connections,
                for: self)
            self.connector = connector
            connector.start()
        case .success: self.end(.unreachable("its name is not resolved yet"))
        case .failure(let error): self.end(.unreachable("\(error)"))
        }
    }

    /// The verdict is not wanted any more. The owner is not called.
    func end() {
        self.context.loop.cancelTimer(&self.timer)
        self.connector = nil
        if case .asking(let connection) = self.state { connection.close() }
        self.state = .over
    }

    private func end(_ verdict: AuthVerdict) {
        if case .over = self.state { return }
        self.end()
        self.owner.answered(verdict.naming(self.service.endpoint))
    }

    func timerFired() {
        self.timer = nil
        if case .asking(let connection) = self.state {
            // If this process was stopped for a while, the answer may be in the socket.
            connection.lookAgain()
            self.read(connection)
        }
        self.end(.unreachable("it did not answer in time"))
    }

    // MARK: - The answer

    private func read(_ connection: Connection) {
        let plaintext = self.context.connections.buffers.plaintext
        while case .asking = self.state, connection.mayRead {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.context.loop.budget.spend(Work.read + Work.head(range.count))
                if let verdict = self.answer.received(plaintext.span.extracting(range)) { self.end(verdict) }
            case .incomplete, .nothing: break
            case .end(let inOrder): self.end(self.answer.receivedEOF(inOrder: inOrder))
            case .failed(let failure): self.end(.unreachable("\(failure)"))
            }
        }
    }
}

extension AuthCall: ConnectorOwner {
    func connected(_ connection: Connection) {
        self.connector = nil
        self.state = .asking(connection)
        let question = self.question.bytes(to: self.service.url)
        connection.send(question.span)
        self.read(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        self.connector = nil
        switch failure {
        case .shortage(let error): self.end(.unreachable("\(error)"))
        case .host(let failure):
            self.context.owner?.unreachable(self.service.endpoint)
            self.end(.unreachable(failure.reason))
        }
    }

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch self.state {
        case .connecting: self.connector?.shakeHands()
        case .asking(let connection): self.read(connection)
        case .over: break
        }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        let hasWorked = self.connector?.makeHandshakeStep() ?? false
        if hasWorked { self.context.metrics.handshakeWaited(waited) }
        return hasWorked
    }
}

extension AuthVerdict {
    /// With the name of the service before a reason.
    fileprivate func naming(_ endpoint: Endpoint) -> AuthVerdict {
        if case .unreachable(let reason) = self {
            .unreachable("the auth service \(endpoint.name): \(reason)")
        } else {
            self
        }
    }
}
