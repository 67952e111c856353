internal import Connections
internal import HTTP1
internal import System
internal import TLS

/// One request and its answer, on a loop of its own.
final class AdminExchange: ConnectorOwner, TimerHandler {
    enum Outcome {
        case answer(AdminClient.Answer)
        case upgraded(Upgrade)
        case stopped
    }

    enum Problem: Error {
        case unreachable(String)
        /// The answer is not HTTP as the gateway speaks it.
        case broken(String)
    }

    /// A connection that got a 101; it is open.
    struct Upgrade {
        let head: ResponseHead
        let connection: Connection
        /// What came behind the head.
        let early: [UInt8]
    }

    /// Longer than the gateway takes to say that it has no answer.
    private static let patience = Duration.seconds(30)
    /// A list of a million sessions is half of it.
    private static let longestAnswer = 1 << 30
    static let readSize = 64 << 10

    let context: ConnectionContext
    private let request: [UInt8]
    private let addresses: [SocketAddress]
    private let makeTLS: () throws -> TLSConnection?
    /// `nil` before `run`.
    private var connector: Connector?
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var head: [UInt8] = []
    private var parser = ResponseHeadParser()
    private var body: (status: Int, reader: BodyReader)?
    private var outcome: Result<Outcome, Problem>?

    private var loop: EventLoop { self.context.loop }

    /// - Parameter tls: makes libssl's part; it returns `nil` for no TLS.
    init(
        _ request: [UInt8], to addresses: [SocketAddress], _ context: ConnectionContext,
        tls: @escaping () throws -> TLSConnection?
    ) {
        self.request = request
        self.addresses = addresses
        self.context = context
        self.makeTLS = tls
    }

    /// Sends the request and waits for the outcome.
    func run() -> Result<Outcome, Problem> {
        self.loop.setTimer(&self.timer, at: self.loop.now + Self.patience, self)
        let connector = Connector(
            to: self.addresses, tls: self.makeTLS, within: Self.patience, self.context, for: self)
        self.connector = connector
        connector.start()
        defer {
            connector.end()
            self.connector = nil
            if case .success(.upgraded) = self.outcome {} else { self.connection?.close() }
            self.connection = nil
            self.loop.cancelTimer(&self.timer)
        }
        while true {
            if let outcome = self.outcome { return outcome }
            self.loop.turn()
        }
    }

    /// Nothing more is waited for.
    func stop() { self.outcome = self.outcome ?? .success(.stopped) }

    private func fail(_ reason: String) { self.outcome = .failure(.broken(reason)) }

    func timerFired() {
        self.timer = nil
        self.fail("no answer in \(Self.patience.components.seconds) seconds")
    }

    func connected(_ connection: Connection) {
        self.connection = connection
        let request = self.request
        connection.send(request.span)
        connection.sendStaged()
        self.receive(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        switch failure {
        case .host(let failure): self.outcome = .failure(.unreachable(failure.reason))
        case .shortage(let error): self.outcome = .failure(.unreachable(error.reason))
        }
    }

    func ready(_ connection: Connection, _ readiness: Readiness) {
        if self.connection == nil { self.connector?.shakeHands() } else { self.receive(connection) }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        self.connection == nil ? self.connector?.makeHandshakeStep() ?? false : false
    }

    private func receive(_ connection: Connection) {
        let plaintext = self.context.buffers.plaintext
        while self.outcome == nil, connection.mayRead {
            switch connection.receive(atMost: Self.readSize) {
            case .bytes(let range): self.received(plaintext.span.extracting(range))
            case .incomplete, .nothing: break
            case .end:
                guard let status = self.body?.status, let progress = self.body?.reader.receivedEOF() else {
                    return self.fail("the connection ended without an answer")
                }
                self.take(progress, status)
            case .failed(let failure): self.fail(failure.description)
            }
        }
    }

    private func received(_ bytes: Span<UInt8>) {
        guard self.body == nil else { return self.receivedBody(bytes) }
        self.head.append(bytes)
        let bytes = self.head
        switch self.parser.parse(bytes.span) {
        case .incomplete: break
        case .invalid(let error): self.fail(error.detail)
        case .head(let head, let length):
            if head.status == 101, let connection = self.connection {
                let upgrade = Upgrade(head: head, connection: connection, early: Array(bytes[length...]))
                return self.outcome = .success(.upgraded(upgrade))
            }
            self.body = (head.status, BodyReader(head: head, limit: Self.longestAnswer))
            self.receivedBody(bytes.span.extracting(length..<bytes.count))
        }
    }

    private func receivedBody(_ bytes: Span<UInt8>) {
        guard let status = self.body?.status, let progress = self.body?.reader.received(bytes) else { return }
        self.take(progress, status)
    }

    private func take(_ progress: BodyReader.Progress, _ status: Int) {
        switch progress {
        case .incomplete: break
        case .invalid(let error): self.fail("\(error)")
        case .complete: self.outcome = .success(.answer(.init(status: status, body: self.body?.reader.body ?? [])))
        }
    }
}
