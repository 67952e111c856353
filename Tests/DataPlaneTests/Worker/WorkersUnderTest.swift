import Configuration
import Synchronization
import System
import TLS
import TestSupport
import Testing
import WebSocketProtocol

@testable import DataPlane
@testable import Observability

/// Workers with loops that the test turns, and clients on the test's own thread: everything happens in a turn.
final class WorkersUnderTest {
    let workers: [Worker]
    private let fleet: Fleet
    private let log: Log
    private var clients: [PacketClient] = []

    /// Runs `body` with workers. No other test makes system calls fail meanwhile.
    static func run(_ count: Int = 1, _ body: (WorkersUnderTest) throws -> Void) throws {
        try SyscallFaults.exclusively {
            let workers = try WorkersUnderTest(count)
            defer { workers.end() }
            try body(workers)
        }
    }

    private init(_ count: Int) throws {
        var settings = GatewayConfiguration.Log()
        settings.file = "/dev/null"
        self.log = try Log(settings)
        self.fleet = try Fleet(workers: count, descriptorLimit: 10_000)
        var configuration = GatewayConfiguration()
        configuration.workers = count
        configuration.backends = [
            "echo": BackendSettings(name: "echo", kind: .builtin(.echo)),
            "rooms": BackendSettings(name: "rooms", kind: .builtin(.broadcast)),
        ]
        configuration.routes = [
            RouteSettings(name: "echo", path: .exact("/echo"), action: .backend("echo")),
            RouteSettings(name: "rooms", path: .subtree("/rooms/"), action: .backend("rooms")),
            RouteSettings(name: "answer", path: .exact("/answer"), action: .answer(AnswerSettings())),
        ]
        let listener = ListenerBlueprint(
            id: 0, settings: ListenerSettings(address: .tcp(host: "127.0.0.1", port: 0)),
            configured: .loopback(port: 0), address: .loopback(port: 0),
            sockets: [[Int32]](repeating: [], count: count), tls: nil)
        let blueprint = WorkerBlueprint(
            fleet: self.fleet, log: self.log,
            configuration: try ActiveConfiguration(configuration), listeners: [listener])
        self.workers = try (0..<count).map { try Worker($0, blueprint) }
    }

    private func end() {
        for worker in self.workers { worker.abortAll() }
        self.log.close()
    }

    /// A client that has sent nothing, for a worker.
    func newcomer(on worker: Int = 0) -> PacketClient {
        let client = PacketClient()
        self.clients.append(client)
        self.fleet.members[worker].mailbox.send(
            .adopt(descriptor: client.near, .unnamed, listener: 0, isCounted: false))
        return client
    }

    /// A client with an open session on a worker.
    func client(_ path: String, on worker: Int = 0) throws -> PacketClient {
        let client = self.newcomer(on: worker)
        let request = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ]
        client.send(Array(request.joined(separator: "\r\n").utf8))
        var head: [[UInt8]] = []
        for _ in 0..<100 where head.isEmpty {
            self.turn(worker)
            head = client.receive()
        }
        #expect(head.first.map { String(decoding: $0, as: UTF8.self).hasPrefix("HTTP/1.1 101 ") } == true)
        return client
    }

    /// One turn without waiting.
    func turn(_ worker: Int = 0) { self.workers[worker].loop.turn(waitingAtMost: .zero) }

    /// Turns all workers until `condition` holds.
    func turns(atMost most: Int = 10_000, until condition: () throws -> Bool) rethrows -> Int {
        for count in 0..<most {
            if try condition() { return count }
            for worker in self.workers.indices { self.turn(worker) }
        }
        Issue.record("it takes more than \(most) turns")
        return most
    }

    var backlog: [Int] { self.fleet.members.map { $0.backlog.load(ordering: .relaxed) } }
}
