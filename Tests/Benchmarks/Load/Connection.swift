internal import System
internal import TLS
internal import WebSocketProtocol

/// Owns connections: a workload.
protocol ConnectionOwner: AnyObject {
    /// A correct 101 came.
    func opened(_ connection: Connection)
    /// `messages` whole messages came.
    func received(_ messages: Int, on connection: Connection)
    /// The connection has ended after `close`.
    func closed(_ connection: Connection)
    /// The connection has ended without `close`.
    func failed(_ connection: Connection, _ reason: String)
}

extension ConnectionOwner {
    func closed(_ connection: Connection) {}
    func failed(_ connection: Connection, _ reason: String) { fail("session \(connection.index): \(reason)") }
}

/// One client session: from `connect` to the end of its socket.
final class Connection {
    enum Phase {
        case connecting
        case securing
        case upgrading
        case open
        /// We sent a Close: what still comes is ignored.
        case closing
        case closed
    }

    let url: LoadURL
    let index: Int
    /// The message that it sends and expects; `nil` if it exchanges none.
    let message: Message?
    /// When `connect` was called, or should have been.
    let start: MonotonicInstant

    unowned let client: Client
    unowned let owner: any ConnectionOwner
    var phase = Phase.connecting

    let descriptor: Int32
    private var registration: EventLoop.Registration?
    let tls: TLSConnection?
    var upgrade: Upgrade

    // Reading: see Connection+Reading.swift.
    var reader = FrameReader(rules: FrameReader.Rules(expectsMask: false))
    /// The beginning of a header or of a control frame.
    var partial: [UInt8] = []
    /// Bytes of the message that is coming in.
    var received = 0
    /// Whole messages so far.
    var count = 0

    // Writing: see Connection+Writing.swift.
    /// Bytes that are sent before all others.
    var pending: [UInt8] = []
    var pendingStart = 0
    /// Bytes of `message.frames`, repeated, to send after `pending`.
    var unsent = 0
    /// Where in `message.frames` they begin: in the first frame.
    var offset = 0

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - start: when its latency begins.
    ///   - context: for `wss`.
    /// - Throws: the system's error if there cannot be a connection.
    init(
        _ url: LoadURL, index: Int, message: Message? = nil, context: TLSClientContext?,
        start: MonotonicInstant = .now(), client: Client, owner: any ConnectionOwner
    ) throws {
        self.url = url
        self.index = index
        self.message = message
        self.start = start
        self.client = client
        self.owner = owner
        self.upgrade = Upgrade(url, random: &client.random)
        self.tls = try context?.makeConnection(serverName: nil)
        self.descriptor = try Kernel.connect(url.address)
        Kernel.sendAtOnce(self.descriptor)
        self.registration = try client.loop.add(self.descriptor, self)
    }

    /// Sends a Close: the server answers it and ends the connection (RFC 6455 section 7.1.1).
    func close() {
        self.phase = .closing
        self.sendControl(.close, [0x03, 0xE8])
    }

    /// Closes the socket.
    func end() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        if let registration = self.registration { self.client.loop.remove(registration, self.descriptor) }
        Kernel.close(self.descriptor)
    }

    /// The connection has ended; the phase says whether that was expected.
    func over(_ reason: String) {
        let phase = self.phase
        guard phase != .closed else { return }
        self.end()
        if phase == .closing {
            self.owner.closed(self)
        } else {
            self.owner.failed(self, "\(reason) (\(phase))")
        }
    }
}

// MARK: - Events

extension Connection: ReadinessHandler {
    func ready(_ readiness: Readiness) {
        if self.phase == .connecting { return self.finishConnecting() }
        if readiness.isWritable { self.flush() }
        self.read(toTheEnd: readiness.isEnded)
    }

    private func finishConnecting() {
        if let error = Kernel.takeConnectionError(self.descriptor) { return self.over("\(error)") }
        guard let tls = self.tls else { return self.beginUpgrade() }
        self.phase = .securing
        let nothing: [UInt8] = []
        let result = tls.handshake(nothing.span)
        self.sendCiphertext()
        if case .failed(let error) = result { self.over("\(error)") }
    }

    func beginUpgrade() {
        self.phase = .upgrading
        let request = self.upgrade.request
        self.send(request.span)
    }
}
