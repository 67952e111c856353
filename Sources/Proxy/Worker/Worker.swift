internal import Balancing
internal import Configuration
internal import EventLoop
internal import Synchronization
internal import TLS

/// One thread with everything it needs: an event loop, listening sockets, libssl contexts, buffers, and its sessions. Nothing of
/// it is shared; what workers have to say to each other goes through their mailboxes.
final class Worker {
    /// TLS handshake steps (each has a signature or a key exchange in it) in one turn of the loop: live sessions keep their
    /// latency while a storm of new ones comes in.
    private static let handshakeStepsPerTurn = 4

    let index: Int
    let loop: EventLoop
    let runtime: Runtime
    let fleet: Fleet
    let log: Log
    let tlsIO = TLSIO()
    let buffers = WorkerBuffers()
    let compression = WorkerCompression()
    var rooms = Rooms()
    let warm: WarmTransports
    let metrics = WorkerMetrics()

    private let listeners: [Listener]
    private var acceptors: [Acceptor] = []
    private var sessions: [ObjectIdentifier: Session] = [:]
    private var turns: [RoundRobin]
    private let clientContexts: [TLSClientContext?]
    private var isDraining = false
    private var handshakeSteps = 0
    private var handshakeTurn: UInt64 = 0

    /// - Throws: `SystemError` or `TLSError`, for what the system or libssl refuses.
    init(_ index: Int, _ shared: WorkerBlueprint) throws {
        self.index = index
        self.runtime = shared.runtime
        self.fleet = shared.fleet
        self.log = shared.log
        self.loop = try EventLoop()
        self.warm = WarmTransports(self.loop)
        let io = self.tlsIO
        self.listeners = try shared.listeners.map { try Listener($0, io: io) }
        self.turns = shared.runtime.backends.map { _ in RoundRobin() }
        self.clientContexts = try shared.clientTLS.map { settings in
            try settings.map { try TLSClientContext($0, io: io) }
        }
        self.acceptors = shared.listeners.enumerated().map { Acceptor($1.sockets[index], listener: $0, worker: self) }
        try self.fleet.members[index].mailbox.open(on: self.loop) { [unowned self] in self.received($0) }
        for acceptor in self.acceptors { try acceptor.start() }
    }

    /// Runs until told to stop.
    func run() { self.loop.run() }

    // MARK: - Messages

    private func received(_ message: WorkerMessage) {
        switch message {
        case .adopt(let descriptor, let address, let listener): self.begin(descriptor, address, listener: listener)
        case .broadcast(let room, let frame):
            self.fleet.members[self.index].backlog.subtract(frame.bytes.count, ordering: .relaxed)
            self.deliver(frame, to: room)
        case .drain: self.drain()
        case .stop:
            for session in Array(self.sessions.values) { session.cut() }
            self.loop.stop()
        }
    }

    private func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        for acceptor in self.acceptors { acceptor.close() }
        self.acceptors = []
        for session in Array(self.sessions.values) { session.drain() }
        self.reportIfDrained()
    }

    private func reportIfDrained() {
        if self.isDraining, self.sessions.isEmpty { self.fleet.control.send(.drained(worker: self.index)) }
    }

    // MARK: - Sessions

    /// Called by an acceptor, with a socket that is ours to close.
    func accepted(_ descriptor: Int32, _ address: SocketAddress, listener: Int) {
        self.metrics.accepted(listener: self.listeners[listener].name)
        if let other = self.fleet.shouldTake(insteadOf: self.index), !self.isDraining {
            self.fleet.members[other].mailbox.send(.adopt(descriptor: descriptor, address, listener: listener))
        } else {
            self.begin(descriptor, address, listener: listener)
        }
    }

    private func begin(_ descriptor: Int32, _ address: SocketAddress, listener: Int) {
        do {
            let session = try Session(descriptor, address, listener: self.listeners[listener], worker: self)
            self.sessions[ObjectIdentifier(session)] = session
            self.fleet.members[self.index].sessions.add(1, ordering: .relaxed)
            if self.isDraining { session.drain() }
        } catch {
            // Nothing but this connection is lost, and the next one may do better.
            Kernel.close(descriptor)
            self.log.write(.error, "session-failed", reason: "\(error)")
        }
    }

    func ended(_ session: Session) {
        guard self.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        self.fleet.members[self.index].sessions.subtract(1, ordering: .relaxed)
        self.reportIfDrained()
    }

    /// What this worker counted, its live sessions' messages too.
    var metricsSnapshot: MetricsSnapshot { self.metrics.snapshot(of: self.sessions.values) }

    /// Takes one of this turn's TLS handshake steps. False: there is none left.
    func takesHandshakeStep() -> Bool {
        if self.handshakeTurn != self.loop.turns {
            self.handshakeTurn = self.loop.turns
            self.handshakeSteps = 0
        }
        guard self.handshakeSteps < Self.handshakeStepsPerTurn else { return false }
        self.handshakeSteps += 1
        return true
    }

    // MARK: - Backends

    func chooseEndpoint(of backend: Backend) -> Endpoint? {
        self.turns[backend.index].choose(among: backend.endpoints.count).map { backend.endpoints[$0] }
    }

    /// - Throws: where the name to verify cannot be one.
    func clientConnection(of backend: Backend, to endpoint: Endpoint) throws(TLSError) -> TLSConnection? {
        guard let context = self.clientContexts[backend.index] else { return nil }
        var name = backend.settings.tls.serverName
        if name == nil, case .tcp(let host, _) = endpoint.address { name = host }
        return try context.makeConnection(serverName: name)
    }

    // MARK: - Rooms

    /// Sends a frame to everyone in a room, here and on the other workers.
    func broadcast(_ frame: RoomFrame, to room: RoomKey) {
        self.fleet.broadcast(frame, to: room, from: self.index)
        self.deliver(frame, to: room)
    }

    private func deliver(_ frame: RoomFrame, to room: RoomKey) {
        let delivery = RoomDelivery(frame, self.compression)
        for member in self.rooms.members(of: room) { member.deliver(delivery) }
    }
}

/// What all workers are made from.
struct WorkerBlueprint: Sendable {
    let runtime: Runtime
    let fleet: Fleet
    let log: Log
    let listeners: [ListenerBlueprint]
    /// For each backend, how it speaks TLS to its endpoints; `nil`: not at all.
    let clientTLS: [TLSClientSettings?]
}
