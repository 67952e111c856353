internal import Configuration
internal import Connections
internal import HTTP1
internal import System
internal import TLS

/// Sends one request to the admin address of a running gateway and waits for the answer, for the command line.
public enum AdminClient {
    /// What the gateway answered.
    public struct Answer: Equatable, Sendable {
        /// The HTTP status.
        public var status: Int
        /// The body, without the encoding that transferred it.
        public var body: [UInt8]
    }

    /// Why there is no answer: one line for people.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The line.
        public let description: String
    }

    /// - Throws: `Failure`, if no HTTP answer comes within 30 s. A status of 400 or more is an answer.
    public static func ask(
        _ target: AdminTarget, _ method: String, _ path: String, body: [UInt8] = []
    ) throws(Failure) -> Answer {
        var fields = target.fields
        fields.append("Connection", "close")
        if method == "POST" {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(method: method, target: path, fields: fields).bytes + body
        let exchange = try self.exchange(request, with: target)
        let address = target.address
        switch exchange.run() {
        case .answer(let answer): return answer
        case .unreachable(let reason):
            throw Failure(description: "no answer at the admin address \(address): \(reason)")
        case .broken(let what):
            let hint = target.trust == nil ? "; if it has TLS, name it with --admin https://…" : ""
            throw Failure(description: "\(address) is no admin address: \(what)\(hint)")
        }
    }

    /// The target of a question with these parameters; those without a value are left out.
    public static func target(_ path: String, _ parameters: [(name: String, value: String?)]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    private static func exchange(_ request: [UInt8], with target: AdminTarget) throws(Failure) -> AdminExchange {
        let addresses = try target.addresses()
        let context: ConnectionContext
        do throws(SystemError) {
            context = ConnectionContext(try EventLoop(batch: 4), readSize: AdminExchange.readSize)
        } catch {
            throw Failure(description: "\(error)")
        }
        let (tls, name) = (try target.tlsContext(context.tlsIO), target.serverName)
        return AdminExchange(request, to: addresses, context) { try tls?.makeConnection(serverName: name) }
    }
}

/// One request and its answer, on a loop of its own.
private final class AdminExchange: ConnectorOwner, TimerHandler {
    enum Outcome {
        case answer(AdminClient.Answer)
        case unreachable(String)
        /// The answer is not HTTP as the gateway speaks it.
        case broken(String)
    }

    /// Longer than the gateway takes to say that it has no answer.
    private static let patience = Duration.seconds(30)
    /// A list of a million sessions is half of it.
    private static let longestAnswer = 1 << 30
    static let readSize = 64 << 10

    private let context: ConnectionContext
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
    private var outcome: Outcome?

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

    private var loop: EventLoop { self.context.loop }

    /// Sends the request and waits for the outcome.
    func run() -> Outcome {
        self.loop.setTimer(&self.timer, at: self.loop.now + Self.patience, self)
        let connector = Connector(
            to: self.addresses, tls: self.makeTLS, within: Self.patience, self.context, for: self)
        self.connector = connector
        connector.start()
        defer {
            connector.end()
            self.connector = nil
            self.connection?.close()
            self.connection = nil
            self.loop.cancelTimer(&self.timer)
        }
        while true {
            if let outcome = self.outcome { return outcome }
            self.loop.turn()
        }
    }

    func timerFired() {
        self.timer = nil
        self.outcome = .broken("no answer in \(Self.patience.components.seconds) seconds")
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
        case .host(let failure): self.outcome = .unreachable(failure.reason)
        case .shortage(let error): self.outcome = .unreachable(error.reason)
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
                    return self.outcome = .broken("the connection ended without an answer")
                }
                self.take(progress, status)
            case .failed(let failure): self.outcome = .broken(failure.description)
            }
        }
    }

    private func received(_ bytes: Span<UInt8>) {
        guard self.body == nil else { return self.receivedBody(bytes) }
        self.head.append(bytes)
        let bytes = self.head
        switch self.parser.parse(bytes.span) {
        case .incomplete: break
        case .invalid(let error): self.outcome = .broken(error.detail)
        case .head(let head, let length):
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
        case .invalid(let error): self.outcome = .broken("\(error)")
        case .complete: self.outcome = .answer(.init(status: status, body: self.body?.reader.body ?? []))
        }
    }
}
