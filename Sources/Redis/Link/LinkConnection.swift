internal import Connections
internal import System
internal import TLS

/// One of a link's connections.
final class LinkConnection: ConnectorOwner {
    private enum Stage {
        case idle
        case connecting(Connector)
        case open(Connection)
        case ended
    }

    private static let readsPerTurn = 8
    private static let readSize = 32 << 10

    private let side: LinkMachine.Side
    private let context: ConnectionContext
    private unowned let link: RedisLink
    private var stage = Stage.idle
    /// Nothing is read.
    private var isPaused = false

    init(_ side: LinkMachine.Side, _ context: ConnectionContext, _ link: RedisLink) {
        self.side = side
        self.context = context
        self.link = link
    }

    func connect(to addresses: [SocketAddress], tls: @escaping () throws -> TLSConnection?, within limit: Duration) {
        guard case .idle = self.stage else { return }
        let connector = Connector(to: addresses, tls: tls, within: limit, self.context, for: self)
        self.stage = .connecting(connector)
        connector.start()
    }

    func send(_ bytes: [UInt8]) {
        if case .open(let connection) = self.stage { connection.send(bytes.span) }
    }

    /// Reads nothing until this is called with `false`: what comes waits at the server.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        if !isPaused, case .open(let connection) = self.stage { connection.readAgainLater() }
    }

    /// The link is not told any more.
    func end() {
        switch self.stage {
        case .connecting(let connector): connector.end()
        case .open(let connection):
            connection.shutDown()
            connection.close()
        case .idle, .ended: break
        }
        self.stage = .ended
    }

    func connected(_ connection: Connection) {
        self.stage = .open(connection)
        self.link.connected(self.side)
        self.read(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        self.stage = .ended
        switch failure {
        case .shortage(let error): self.link.failed("\(error)")
        case .host(let failure): self.link.failed(failure.reason)
        }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        if case .connecting(let connector) = self.stage { connector.makeHandshakeStep() } else { false }
    }

    func ready(_ connection: Connection, _ readiness: Readiness) {
        switch self.stage {
        case .connecting(let connector): connector.shakeHands()
        case .open: self.read(connection)
        case .idle, .ended: break
        }
    }

    private func read(_ connection: Connection) {
        for _ in 0..<Self.readsPerTurn {
            guard case .open = self.stage, connection.mayRead, !self.isPaused else { return }
            let plaintext = self.context.buffers.plaintext
            switch connection.receive(atMost: Self.readSize) {
            case .bytes(let range): self.link.received(plaintext.span.extracting(range), on: self.side)
            case .incomplete, .nothing: break
            case .end: self.link.failed("the server closed the connection")
            case .failed(let failure): self.link.failed("\(failure)")
            }
        }
        if case .open = self.stage, !self.isPaused { connection.readAgainLater() }
    }
}
