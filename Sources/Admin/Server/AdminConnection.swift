internal import Configuration
internal import Connections
internal import ControlPlane
internal import DataPlane
internal import HTTP1
internal import System
internal import TLS

/// One connection to the admin address: reads a request, gets the answer, sends it, and closes.
final class AdminConnection: ConnectionOwner, TimerHandler {
    /// `securing → reading → waiting → answering → ending → closed`; from `waiting` to `closed` if a WebSocket takes the connection over, or by
    /// `abandoned`.
    private enum State {
        /// The TLS handshake is under way.
        case securing
        case reading
        /// The gateway was asked, and has not answered.
        case waiting
        /// The client is gone. The connection keeps its place until the gateway has answered: otherwise the questions of clients that leave
        /// at once would have no bound.
        case abandoned
        case answering
        /// The answer is sent. Bytes that still come are read and discarded: to close with unread bytes would reset the connection, and
        /// the client could miss the answer.
        case ending(discarded: Int)
        case closed
    }

    private static let mostDiscarded = 1 << 20
    /// A long answer is sent in pieces of this size, each with its own deadline.
    private static let step = 64 << 10

    /// It closes all connections before it is released.
    private unowned let server: AdminServer
    private let address: SocketAddress
    /// `nil` after `close`.
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var state: State
    /// Verifies the password of the request.
    private var password: PasswordCheck?
    /// The user with the password that came with the request.
    private var user: String?
    private var reader = AdminRequestReader()
    /// Whether the request was a HEAD.
    private var isHead = false
    private var output: [UInt8] = []
    private var sent = 0
    /// When it last made progress: it was accepted, part of the answer was sent, or all of it was.
    private var lastStep: MonotonicInstant

    /// Since when the client has made no progress: its request is not complete, it accepts no more of the answer, or it does not close
    /// after that. `nil` while the gateway's answer is awaited, and after `close`.
    var idleSince: MonotonicInstant? {
        switch self.state {
        case .securing, .reading, .answering, .ending: self.lastStep
        case .waiting, .abandoned, .closed: nil
        }
    }

    private var loop: EventLoop { self.server.control.loop }
    /// For the log.
    private var asker: String { self.user ?? self.address.ip?.description ?? "unix" }

    /// Owns `descriptor` from now on, unless it throws.
    ///
    /// - Parameter tls: `nil` without TLS.
    init(
        _ descriptor: Int32, _ address: SocketAddress, _ tls: TLSConnection?, server: AdminServer
    ) throws(SystemError) {
        self.server = server
        self.state = tls == nil ? .reading : .securing
        self.address = address
        self.lastStep = server.control.loop.now
        self.connection = try Connection(descriptor, address, tls: tls, owner: self, server.context)
        self.setDeadline()
    }

    func ready(_ connection: Connection, _ readiness: Readiness) {
        if connection.hasFlushed { self.lastStep = self.loop.now }
        switch self.state {
        case .securing: if let result = connection.handshakeNews() { self.handshake(result, connection) }
        case .reading: self.read(connection)
        // The client may have shut down its side; it still wants the answer.
        case .waiting: if readiness.isFailed { self.abandon() }
        case .answering: self.send()
        case .ending: self.discard(connection)
        case .abandoned, .closed: break
        }
    }

    func timerFired() {
        self.timer = nil
        switch self.state {
        case .reading: self.answer(AdminResponse(408, "The request did not arrive in time."))
        case .waiting: self.answer(AdminResponse(504, "The gateway did not answer in time."))
        case .securing, .abandoned, .answering, .ending: self.close()
        case .closed: break
        }
    }

    private func setDeadline() {
        self.loop.setTimer(&self.timer, at: self.loop.now + self.server.patience, self)
    }

    // MARK: - TLS handshake

    func makeHandshakeStep(_ connection: Connection, afterWaiting waited: Duration) -> Bool {
        guard case .securing = self.state else { return false }
        let (result, hasWorked) = connection.handshakeStep()
        self.handshake(result, connection)
        return hasWorked
    }

    private func handshake(_ result: Connection.HandshakeResult, _ connection: Connection) {
        switch result {
        case .wantsRead: break
        case .failed: self.close()
        case .done:
            self.state = .reading
            self.lastStep = self.loop.now
            self.read(connection)
        }
    }

    // MARK: - Reading

    private func read(_ connection: Connection) {
        let plaintext = self.server.context.buffers.plaintext
        while case .reading = self.state, connection.mayRead {
            switch connection.receive(atMost: AdminServer.readSize) {
            case .bytes(let range): self.received(self.reader.received(plaintext.span.extracting(range)))
            case .incomplete, .nothing: break
            case .end: self.answer(self.reader.receivedEnd())
            case .failed: self.close()
            }
        }
    }

    private func received(_ progress: AdminRequestReader.Progress) {
        switch progress {
        case .incomplete: break
        case .refused(let response): self.answer(response)
        case .request(let request):
            self.isHead = request.method == "HEAD"
            self.reader = AdminRequestReader()
            self.state = .waiting
            self.decide(request)
        }
    }

    private func decide(_ request: AdminRequest) {
        switch self.server.router.decide(request, of: self.user) {
        case .open(let stream): self.open(stream, request)
        case .answer(let response): self.answer(response)
        case .refuse(let response, let change):
            self.server.control.log(change, by: self.asker)
            self.answer(response)
        case .ask(let question):
            self.setDeadline()
            // The connection may be closed by the time the answer comes.
            self.server.control.ask(question, by: self.asker) { [weak self] in self?.answer($0) }
        case .identify(let settings):
            self.setDeadline()
            self.password = self.server.control.login(request.fields, settings, from: self.address) { [weak self] in
                self?.identified($0, request, settings)
            }
        }
    }

    private func identified(_ login: Gateway.Login, _ request: AdminRequest, _ settings: BasicSettings) {
        guard case .waiting = self.state else { return }
        self.password = nil
        guard case .user(let user) = login else { return self.answer(.unidentified(login, settings)) }
        self.user = user
        self.decide(request)
    }

    /// Gives the connection to a WebSocket, if the request can become one.
    private func open(_ stream: AdminStream, _ request: AdminRequest) {
        do throws(AdminResponse) {
            let key = try AdminUpgrade.key(of: request)
            guard self.server.hasRoomForSocket else {
                throw AdminResponse.tooManyListen
            }
            switch stream {
            case .events: self.open(key) { self.server.events.add($0) }
            case .tail(let selection): self.open(key, selection)
            }
        } catch {
            self.answer(error)
        }
    }

    /// Gives it to a tail when that is in force.
    private func open(_ key: String, _ selection: TailSelection) {
        let stream = TailStream(self.server.control)
        self.setDeadline()
        stream.begin(selection, showsPayloads: self.server.showsPayloads) { [weak self] isInForce in
            guard let self, case .waiting = self.state, isInForce, self.server.hasRoomForSocket else {
                stream.ended()
                guard let self else { return }
                self.answer(isInForce ? .tooManyListen : .error(404, self.server.control.nothingToTail(selection)))
                return
            }
            self.open(key) {
                stream.open(on: $0)
                return stream
            }
            // Some may have come before the 101.
            stream.hasRoom()
        }
    }

    private func open(_ key: String, feeding feed: (AdminSocket) -> any SocketFeed) {
        guard let connection = self.connection else { return }
        self.connection = nil
        self.server.open(key, on: connection, feeding: feed)
        self.close()
    }

    // MARK: - Answering

    private func answer(_ response: AdminResponse) {
        switch self.state {
        case .reading, .waiting: break
        case .abandoned: return self.close()
        case .securing, .answering, .ending, .closed: return
        }
        // It was too slow.
        self.password?.cancel()
        self.state = .answering
        self.lastStep = self.loop.now
        self.output = response.bytes(forHead: self.isHead, date: WallClock.httpDate())
        self.setDeadline()
        self.send()
    }

    /// Sends what the client accepts of the answer, and then shuts down this side.
    private func send() {
        guard let connection = self.connection else { return }
        let output = self.output
        while connection.hasSentAll, self.sent < output.count {
            let end = min(self.sent + Self.step, output.count)
            connection.send(output.span.extracting(self.sent..<end))
            connection.sendStaged()
            self.sent = end
            self.lastStep = self.loop.now
            self.setDeadline()
        }
        guard connection.failure == nil else { return self.close() }
        guard connection.hasSentAll else { return }
        self.output = []
        connection.shutDown()
        self.state = .ending(discarded: 0)
        self.setDeadline()
        self.discard(connection)
    }

    private func discard(_ connection: Connection) {
        while case .ending(let discarded) = self.state, connection.mayRead {
            switch connection.receive(atMost: AdminServer.readSize) {
            case .bytes(let range):
                guard discarded + range.count <= Self.mostDiscarded else { return self.close() }
                self.state = .ending(discarded: discarded + range.count)
            case .incomplete, .nothing: break
            case .end, .failed: self.close()
            }
        }
    }

    /// Closes because another connection needs the place. If the request is not complete, the client gets a 408.
    func makeRoom() {
        if case .reading = self.state {
            let response = AdminResponse(408, "Others wait, and the request is not whole.")
            self.connection?.send(response.bytes(date: WallClock.httpDate()).span)
        }
        self.close()
    }

    private func abandon() {
        // No thread has to hash for it, and no answer comes.
        guard self.password == nil else { return self.close() }
        self.state = .abandoned
        self.connection?.close()
        self.connection = nil
    }

    func close() {
        if case .closed = self.state { return }
        self.state = .closed
        self.password?.cancel()
        self.loop.cancelTimer(&self.timer)
        self.connection?.close()
        self.connection = nil
        self.output = []
        self.server.ended(self)
    }
}

extension AdminResponse {
    fileprivate static var tooManyListen: AdminResponse {
        var refusal = AdminResponse.error(503, "as many listen as can, \(AdminServer.mostSockets)")
        refusal.fields.append("Retry-After", "5")
        return refusal
    }
}
