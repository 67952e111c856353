internal import Configuration
internal import Connections
internal import HTTP1
internal import System
internal import TLS

/// One question for the keys of a URL, on the control thread: the look-up of its name, the connection, and a `KeyAnswer` that reads what comes.
///
/// Only the server that the configuration names is connected to, and nothing of its answer leads anywhere else.
final class KeyFetch: TimerHandler, ConnectorOwner {
    /// How long all of it may take.
    static let limit = Duration.seconds(5)

    /// Why there is no answer: half a sentence for the log.
    struct Failure: Error {
        let reason: String
    }

    typealias Result = Swift.Result<KeyAnswer.Content, Failure>

    private enum Stage {
        case resolving
        case connecting(Connector)
        case talking(Connection)
        case ended
    }

    private static let readsPerTurn = 8

    private let url: WebURL
    private let tls: TLSClientContext
    private let context: ConnectionContext
    private let then: (Result) -> Void
    private let deadline = MonotonicInstant.now() + KeyFetch.limit
    private var stage = Stage.resolving
    private var answer = KeyAnswer()
    private var timer: EventLoop.TimerID?

    /// - Parameter then: gets what came of it, unless it is cancelled before, perhaps before `start` returns.
    init(_ url: WebURL, _ tls: TLSClientContext, _ context: ConnectionContext, then: @escaping (Result) -> Void) {
        self.url = url
        self.tls = tls
        self.context = context
        self.then = then
    }

    /// Begins.
    func start(_ names: NameRefresh) {
        self.context.loop.setTimer(&self.timer, at: self.deadline, self)
        let address = self.url.address
        guard case .tcp(let host, let port) = address else { return self.fail("it has no host") }
        guard !Resolver.isLiteral(host) else { return self.connect(to: Resolver.literal(host, port: port), host) }
        names.lookUp([address], within: Self.limit) { [weak self] found in
            if let addresses = found[address] { self?.connect(to: addresses, host) }
        }
    }

    /// Ends it without a result.
    func cancel() {
        self.context.loop.cancelTimer(&self.timer)
        switch self.stage {
        case .connecting(let connector): connector.end()
        case .talking(let connection):
            connection.shutDown()
            connection.close()
        case .resolving, .ended: break
        }
        self.stage = .ended
    }

    private func end(_ result: Result) {
        if case .ended = self.stage { return }
        self.cancel()
        self.then(result)
    }

    private func fail(_ reason: String) { self.end(.failure(Failure(reason: reason))) }

    func timerFired() {
        self.timer = nil
        let limit = Self.limit.shown
        switch self.stage {
        case .resolving: self.fail("its name was not resolved within \(limit)")
        case .connecting: self.fail("no connection within \(limit)")
        case .talking: self.fail("no whole answer within \(limit)")
        case .ended: break
        }
    }

    // MARK: - Connecting

    private func connect(to addresses: Swift.Result<[SocketAddress], ResolveError>, _ host: String) {
        guard case .resolving = self.stage else { return }
        switch addresses {
        case .failure(let error): self.fail("\(error)")
        case .success(let addresses):
            let connector = Connector(
                to: addresses, tls: { [tls] in try tls.makeConnection(serverName: host) }, within: Self.limit,
                until: self.deadline, self.context, for: self)
            self.stage = .connecting(connector)
            connector.start()
        }
    }

    func connected(_ connection: Connection) {
        self.stage = .talking(connection)
        connection.send(KeyAnswer.request(for: self.url).bytes.span)
        self.read(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .shortage(let error): self.fail("\(error)")
        case .host(let failure): self.fail(failure.reason)
        }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        if case .connecting(let connector) = self.stage { connector.makeHandshakeStep() } else { false }
    }

    // MARK: - Reading

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch self.stage {
        case .connecting(let connector): connector.shakeHands()
        case .talking: self.read(connection)
        case .resolving, .ended: break
        }
    }

    private func read(_ connection: Connection) {
        for _ in 0..<Self.readsPerTurn {
            guard case .talking = self.stage, connection.mayRead else { return }
            let plaintext = self.context.buffers.plaintext
            switch connection.receive(atMost: KeyRefresh.readSize) {
            case .bytes(let range): self.take(self.answer.received(plaintext.span.extracting(range)))
            case .incomplete, .nothing: break
            case .end: self.take(self.answer.receivedEOF())
            case .failed(let failure): self.fail("\(failure)")
            }
        }
        if case .talking = self.stage { connection.readAgainLater() }
    }

    private func take(_ progress: KeyAnswer.Progress) {
        switch progress {
        case .incomplete: break
        case .whole(let content): self.end(.success(content))
        case .refused(let reason): self.fail(reason)
        }
    }
}
