import Connections
import System

@testable import Redis

/// A server that says what the test wants. It is on the loop of the link.
final class FakeServer: ReadinessHandler {
    private final class Client: ConnectionOwner {
        var connection: Connection?
        private var reader = RedisReader()
        private unowned let server: FakeServer

        init(_ server: FakeServer) { self.server = server }

        func ready(_ connection: Connection, _ readiness: Readiness) {
            while connection.isOpen, connection.mayRead {
                let plaintext = self.server.context.buffers.plaintext
                switch connection.receive(atMost: 16 << 10) {
                case .bytes(let range):
                    self.reader.append(plaintext.span.extracting(range))
                    while let command = try? self.reader.next() { self.answer(command, connection) }
                case .incomplete, .nothing: break
                case .end, .failed: connection.close()
                }
            }
        }

        private func answer(_ command: RedisValue, _ connection: Connection) {
            let words = (command.list ?? []).map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
            self.server.commands.append(words)
            guard let answer = self.server.answer(words) else { return connection.close(abruptly: true) }
            // A byte at a time, so that the link has to put it together.
            for byte in Array(answer.utf8) {
                connection.send([byte].span)
                connection.sendStaged()
            }
        }
    }

    let address: SocketAddress
    private(set) var commands: [[String]] = []
    private(set) var accepted = 0
    /// What a command is answered with; `nil` ends the connection.
    var answer: ([String]) -> String? = FakeServer.politely
    private let context: ConnectionContext
    private let listener: Int32
    private var clients: [Client] = []

    init(on context: ConnectionContext) throws {
        self.context = context
        self.listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        self.address = Kernel.localAddress(self.listener) ?? .unnamed
        _ = try context.loop.addReading(self.listener, self)
    }

    func ready(_ readiness: Readiness) {
        guard case .accepted(let descriptor, let address) = Kernel.accept(self.listener) else { return }
        self.accepted += 1
        let client = Client(self)
        client.connection = try? Connection(descriptor, address, owner: client, self.context)
        self.clients.append(client)
    }

    func end() {
        for client in self.clients { client.connection?.close() }
        self.clients = []
        Kernel.close(self.listener)
    }

    /// What a good server says.
    static func politely(_ words: [String]) -> String? {
        switch words.first {
        case "HELLO": "%2\r\n+mode\r\n+standalone\r\n+role\r\n+master\r\n"
        case "subscribe":
            words.dropFirst().map { ">3\r\n+subscribe\r\n$\($0.utf8.count)\r\n\($0)\r\n:1\r\n" }.joined()
        default: ":1\r\n"
        }
    }
}
