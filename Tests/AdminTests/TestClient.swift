import System
import TestSupport
import Testing

/// A client on the same loop as the server, so that the test decides the order of events.
final class TestClient: ReadinessHandler {
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false
    private(set) var failure: SystemError?
    /// Whether to read nothing for now.
    var isPaused = false

    private let loop: EventLoop
    private let descriptor: Int32
    private var registration: EventLoop.Registration?

    init(_ address: SocketAddress, _ loop: EventLoop) throws {
        self.loop = loop
        self.descriptor = try Kernel.connect(address)
        self.registration = try loop.add(self.descriptor, self)
    }

    deinit { self.close() }

    func close() {
        guard let registration = self.registration else { return }
        self.registration = nil
        self.loop.remove(registration, self.descriptor)
        Kernel.close(self.descriptor)
    }

    func ready(_ readiness: Readiness) {
        guard !self.isPaused else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !self.hasEnded {
            var span = buffer.mutableSpan
            switch Kernel.receive(self.descriptor, into: &span) {
            case .bytes(let count, _): self.received += buffer[..<count]
            case .wouldBlock: return
            case .end: self.hasEnded = true
            case .failed(let error):
                self.hasEnded = true
                self.failure = error
            }
        }
    }

    func resume() {
        self.isPaused = false
        self.ready(.none)
    }

    /// Sends a few bytes. They always fit the socket's buffer.
    func send(_ bytes: [UInt8]) {
        let result = Kernel.send(self.descriptor, bytes.span)
        #expect(result == .sent(bytes.count))
    }

    func send(_ text: String) { self.send(Array(text.utf8)) }

    /// Sends as many bytes as the socket accepts.
    func flood(_ bytes: [UInt8]) { _ = Kernel.send(self.descriptor, bytes.span) }

    func endWriting() { Kernel.endWriting(self.descriptor) }

    /// Waits until the connection is open. That takes nothing from the server.
    func connect() throws {
        try #require(waitToWrite(self.descriptor))
    }

    /// Runs the loop until the server has ended its side, and returns what it sent.
    func answer() throws -> String {
        try turn(self.loop) { self.hasEnded }
        #expect(self.failure == nil)
        // Otherwise the loop would keep this client, and the server would wait for it.
        self.close()
        return String(decoding: self.received, as: UTF8.self)
    }

    func status() throws -> Int? {
        let line = try self.answer().prefix { $0 != "\r\n" }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// Sends one request and returns the whole answer.
    static func ask(_ address: SocketAddress, _ loop: EventLoop, _ request: String) throws -> String {
        let client = try TestClient(address, loop)
        try client.connect()
        client.send(request)
        return try client.answer()
    }
}

/// Runs the loop until the condition holds, for at most 20 seconds.
func turn(_ loop: EventLoop, until isDone: () -> Bool) throws {
    let limit = MonotonicInstant.now() + .seconds(20)
    while !isDone() {
        try #require(MonotonicInstant.now() < limit, "nothing happens any more")
        loop.turn(waitingAtMost: .seconds(20))
    }
}
