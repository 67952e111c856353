import Connections
import System
import TLS
import TestSupport

/// An owner that records what it is told.
final class Listener: ConnectorOwner {
    var connection: Connection?
    var received: [UInt8] = []
    /// How the peer's side ended: an end or a failure.
    var end: Connection.Received?
    /// The queue's memory, as far as it was told.
    var queuedMemory = 0
    /// How often it was told that queued bytes had gone.
    var flushes = 0
    /// Whether it reads what comes.
    var reads = true
    /// How many bytes it takes as what comes before TLS, and what it got of them.
    var prefaceLength = 0
    var preface: [UInt8] = []
    /// It is a server's, in its TLS handshake.
    var isShakingHands = false
    var connector: Connector?
    var failure: Connector.Failure?
    private let context: ConnectionContext

    init(_ context: ConnectionContext) { self.context = context }

    func ready(_ connection: Connection, _ readiness: Readiness) {
        if let connector = self.connector { return connector.shakeHands() }
        if self.preface.count < self.prefaceLength { self.readPreface(connection) }
        if self.preface.count < self.prefaceLength { return }
        if self.isShakingHands { return connection.handshakeLater() }
        if connection.hasFlushed { self.flushes += 1 }
        if self.reads { self.read(connection) }
    }

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        if let connector = self.connector { return connector.makeHandshakeStep() }
        let step = connection.handshakeStep()
        if case .done = step.result {
            self.isShakingHands = false
            self.read(connection)
        }
        return step.hasWorked
    }

    func queued(changedBy bytes: Int) { self.queuedMemory += bytes }

    func read(_ connection: Connection) {
        while self.end == nil, connection.mayRead, !connection.isPaused, connection.isOpen {
            switch connection.receive(atMost: 16 << 10) {
            case .bytes(let range): self.received += self.context.buffers.copy(range)
            case .incomplete, .nothing: break
            case .end(let inOrder): self.end = .end(inOrder: inOrder)
            case .failed(let failure): self.end = .failed(failure)
            }
        }
    }

    private func readPreface(_ connection: Connection) {
        while self.end == nil, self.preface.count < self.prefaceLength, connection.mayRead {
            let received = connection.receivePreface { bytes in
                let taken = min(bytes.count, self.prefaceLength - self.preface.count)
                self.preface += [UInt8](copying: bytes.extracting(first: taken))
                return taken
            }
            switch received {
            case .bytes, .incomplete, .nothing: break
            case .end, .failed: self.end = received
            }
        }
    }

    func connected(_ connection: Connection) {
        self.connector = nil
        self.connection = connection
        self.read(connection)
    }

    func couldNotConnect(_ failure: Connector.Failure) {
        self.connector = nil
        self.failure = failure
    }
}

/// The kinds of socket.
enum Kind: CaseIterable {
    case tcp
    case unix
}

/// A connection on a loop that the test turns, and its peer: a socket that the test reads.
final class ConnectionUnderTest {
    let loop: EventLoop
    let context: ConnectionContext
    let listener: Listener
    let connection: Connection
    let peer: Int32
    private var peerIsOpen = true
    private let buffer = ReadBuffer(count: 1 << 20)

    init(_ kind: Kind = .tcp) throws {
        self.loop = try EventLoop()
        self.context = ConnectionContext(self.loop)
        self.listener = Listener(self.context)
        let (near, address): (Int32, SocketAddress)
        switch kind {
        case .unix:
            let pair = socketPair()
            self.peer = pair.far
            (near, address) = (pair.near, .unix(path: "peer"))
        case .tcp:
            let server = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            defer { Kernel.close(server) }
            self.peer = try Kernel.connect(Kernel.localAddress(server) ?? .unnamed, from: nil)
            guard waitToRead(server), case .accepted(let descriptor, let peer) = Kernel.accept(server) else {
                throw SystemError("accept", 0)
            }
            (near, address) = (descriptor, peer)
        }
        self.connection = try Connection(near, address, owner: self.listener, self.context)
        // The events of a new socket come first.
        self.loop.turn(waitingAtMost: .zero)
    }

    /// Closes what is left. No reference cycle has to be broken: the owner does not refer to the connection.
    func end() {
        self.connection.close()
        self.closePeer()
    }

    func closePeer() {
        if self.peerIsOpen { Kernel.close(self.peer) }
        self.peerIsOpen = false
    }

    func resetPeer() {
        if self.peerIsOpen { Kernel.reset(self.peer) }
        self.peerIsOpen = false
    }

    /// Turns the loop until `condition` holds. Returns whether it does.
    func turn(until condition: () -> Bool) -> Bool {
        let deadline = MonotonicInstant.now() + .seconds(20)
        while !condition(), .now() < deadline { self.loop.turn(waitingAtMost: .seconds(1)) }
        return condition()
    }

    /// How the peer sees the end of the connection.
    enum End: Equatable {
        case end
        case reset
    }

    /// Reads what is there for the peer, so that more can be sent, up to the end; `nil` if there was none.
    func readPeer(upTo count: Int = .max) -> (bytes: [UInt8], end: End?) {
        var bytes: [UInt8] = []
        let deadline = MonotonicInstant.now() + .seconds(20)
        let buffer = self.buffer
        while bytes.count < count, .now() < deadline {
            self.loop.turn(waitingAtMost: .zero)
            var room = buffer.mutableSpan
            switch Kernel.receive(self.peer, into: &room) {
            case .bytes(let count, _): bytes += buffer.copy(0..<count)
            case .wouldBlock: break
            case .end: return (bytes, .end)
            case .failed(let error): return (bytes, error.isConnectionReset ? .reset : nil)
            }
        }
        return (bytes, nil)
    }

    /// Sends as much as the kernel accepts. Another test may have made sends short.
    func sendFromPeer(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count,
            case .sent(let count) = Kernel.send(self.peer, bytes.span.extracting(sent..<bytes.count))
        {
            sent += count
        }
    }
}

/// More than the kernel accepts for a peer that does not read; no two parts are alike.
let much = someBytes(8 << 20)

func someBytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) } }
