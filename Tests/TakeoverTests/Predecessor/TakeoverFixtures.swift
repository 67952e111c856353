import Configuration
import Synchronization
import System
import TestSupport
import Testing

@testable import Observability
@testable import Takeover

/// The running gateway in a takeover, on the test's loop.
final class RunningGateway {
    let name = SocketAddress.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))")
    let loop: EventLoop
    let log: Log
    var listeners: [(address: String, descriptors: [Int32])] = []
    var releases: [TakeoverServer.Release] = []
    var server: TakeoverServer?
    private let logPath = temporaryPath(".log")

    init() throws {
        self.loop = try EventLoop()
        var settings = GatewayConfiguration.Log()
        settings.file = self.logPath
        settings.format = .json
        self.log = try Log(settings)
    }

    func listen(_ label: String? = nil, workers: Int = 1) throws -> SocketAddress {
        let (sockets, address) = try Kernel.listen(.loopback(port: 0), forWorkers: workers)
        self.listeners.append((label ?? address.description, sockets))
        return address
    }

    func serve(taken: TakenSockets? = nil, patience: Duration = TakeoverServer.patience) throws {
        self.server = try TakeoverServer(
            name: self.name, taken: taken, loop: self.loop, log: self.log, patience: patience,
            sockets: { [unowned self] in self.listeners },
            released: { [unowned self] in self.releases.append($0) })
    }

    func closeListeners() {
        for socket in self.listeners.flatMap(\.descriptors) { Kernel.close(socket) }
        self.listeners = []
    }

    /// Runs `successor` on a thread, and the loop until it returns.
    func run<Result: Sendable>(_ successor: @escaping @Sendable () throws -> Result) throws -> Result {
        let result = Shared<Swift.Result<Result, any Error>?>(nil)
        let done = try Mailbox<Void>()
        var isDone = false
        try done.open(on: self.loop) { isDone = true }
        let thread = try Thread.start("successor") {
            result.value.withLock { $0 = Swift.Result { try successor() } }
            done.send(())
        }
        while !isDone { self.loop.turn(waitingAtMost: .seconds(20)) }
        thread.join()
        return try #require(result.value.withLock { $0 }).get()
    }

    /// The events of the log with their reasons. Closes the log.
    func events() throws -> [(event: String, reason: String?)] {
        self.log.close()
        defer { removeFile(self.logPath) }
        return try LogLine.all(FileContents.read(self.logPath)).map { ($0.event, $0[text: "reason"]) }
    }
}

private final class Shared<Value>: Sendable {
    let value: Mutex<Value>

    init(_ value: sending Value) { self.value = Mutex(value) }
}

/// Taken sockets that one thread passes to another, which waits for them.
struct Taken: @unchecked Sendable {
    let sockets: TakenSockets
}

extension TakeoverTests {
    /// Whether one of `sockets` accepts a connection to `address`.
    func isAnswered(_ address: SocketAddress, by sockets: [Int32]) throws -> Bool {
        let client = try Kernel.connect(address)
        defer { Kernel.close(client) }
        return self.isAccepted(client, by: sockets)
    }

    func isAccepted(_ client: Int32, by sockets: [Int32]) -> Bool {
        guard waitToRead(sockets) > 0 else { return false }
        for socket in sockets {
            guard case .accepted(let descriptor, let peer) = Kernel.accept(socket) else { continue }
            Kernel.close(descriptor)
            return peer == Kernel.localAddress(client)
        }
        return false
    }

    /// Connects. On loopback a refusal shows at once.
    func connected(_ address: SocketAddress) throws {
        let client = try Kernel.connect(address)
        defer { Kernel.close(client) }
        _ = Kernel.waitToWrite(client, within: .seconds(20))
        if let error = Kernel.takeConnectionError(client) { throw error }
    }

    /// The next message of the server; `nil` if it ended.
    func nextMessage(_ descriptor: Int32, _ running: RunningGateway) throws -> TakeoverMessage? {
        var reader = TakeoverMessage.Reader()
        while true {
            var byte: [UInt8] = [0]
            var span = byte.mutableSpan
            switch Kernel.receive(descriptor, into: &span) {
            case .bytes: reader.append(byte)
            case .wouldBlock: running.loop.turn(waitingAtMost: .seconds(20))
            case .end: return nil
            case .failed(let error): throw error
            }
            if let message = try reader.next() { return message }
        }
    }

    /// The sockets taken from a predecessor that offers one listener, says these things, and then ends.
    func scripted(
        _ messages: [TakeoverMessage]
    ) throws -> (address: SocketAddress, listener: Int32, taken: TakenSockets, connection: Int32) {
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        let address = try #require(Kernel.localAddress(listener))
        let pair = socketPair()
        var outbox = TakeoverOutbox()
        outbox.add(listener: address.description, sockets: [listener])
        outbox.add(messages[0])
        try outbox.flush(to: pair.near)
        var side = SuccessorSide()
        while side.phase == .waiting {
            _ = TakeoverClient.receive(pair.far, into: &side, until: .now() + .seconds(20))
        }
        for message in messages.dropFirst() { outbox.add(message) }
        try outbox.flush(to: pair.near)
        return (address, listener, TakenSockets(pair.far, process: 1, side: side, name: .unnamed), pair.near)
    }
}
