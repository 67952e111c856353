public import Configuration
internal import Connections
internal import HTTP1
internal import System

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

    /// - Parameter address: where the gateway listens. If that is every local address, this machine is asked.
    /// - Throws: `Failure`, if no HTTP answer comes within 30 s. A status of 400 or more is an answer.
    public static func ask(
        _ address: Address, _ method: String, _ target: String, body: [UInt8] = []
    ) throws(Failure) -> Answer {
        // The one name that every admin address answers to.
        var fields: HTTPFields = ["Host": "localhost", "Connection": "close"]
        if method == "POST" {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(method: method, target: target, fields: fields).bytes + body
        let addresses = try self.addresses(of: address)
        let exchange: AdminExchange
        do throws(SystemError) {
            exchange = try AdminExchange(request, to: addresses)
        } catch {
            throw Failure(description: "\(error)")
        }
        switch exchange.run() {
        case .answer(let answer): return answer
        case .unreachable(let reason):
            throw Failure(description: "no answer at the admin address \(address): \(reason)")
        case .broken(let what): throw Failure(description: "\(address) is no admin address: \(what)")
        }
    }

    /// The target of a question with these parameters; those without a value are left out.
    public static func target(_ path: String, _ parameters: [(name: String, value: String?)]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    private static func addresses(of address: Address) throws(Failure) -> [SocketAddress] {
        switch address {
        case .unix(let path): return [.unix(path: path)]
        case .abstract(let name): return [.abstract(name: name)]
        case .tcp(let host, let port):
            switch Resolver.addresses(of: host.isEmpty ? "localhost" : host, port: port) {
            case .success(let addresses): return addresses
            case .failure(let error): throw Failure(description: "\(error)")
            }
        }
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
    private static let readSize = 64 << 10

    private let loop: EventLoop
    private let context: ConnectionContext
    private let request: [UInt8]
    private let addresses: [SocketAddress]
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var head: [UInt8] = []
    private var parser = ResponseHeadParser()
    private var body: (status: Int, reader: BodyReader)?
    private var outcome: Outcome?

    init(_ request: [UInt8], to addresses: [SocketAddress]) throws(SystemError) {
        self.loop = try EventLoop(batch: 4)
        self.context = ConnectionContext(self.loop, readSize: Self.readSize)
        self.request = request
        self.addresses = addresses
    }

    /// Sends the request and waits for the outcome.
    func run() -> Outcome {
        self.loop.setTimer(&self.timer, at: self.loop.now + Self.patience, self)
        let connector = Connector(to: self.addresses, within: Self.patience, self.context, for: self)
        connector.start()
        defer {
            connector.end()
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

    func ready(_ connection: Connection, _ readiness: Readiness) { self.receive(connection) }

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
