internal import Admission
internal import Configuration
internal import Connections
internal import HTTP1
internal import Observability
internal import Sessions
internal import System
internal import TLS

/// The gateway's own answers. After one that is the last, what is queued is delivered, then we wait for the client's end, then the
/// connection is closed. `LegClosing` says what is due.
extension ClientConnection {
    /// What an answered client's connection knows of its end. An object of its own, so that one that waits for a request does not carry it.
    final class Closing {
        var leg: LegClosing
        /// Whether the kernel's timeout is the one for closing.
        var hasUserTimeout = false

        init(at now: MonotonicInstant) { self.leg = LegClosing(at: now) }
    }

    /// The client asked for a built-in page, or for what its route answers.
    ///
    /// - Parameter keepsClient: another request may follow.
    func show(_ answer: Answer, to request: RequestHead, headOnly: Bool, keepsClient: Bool) {
        guard self.machine.handle(.answered(isLast: self.isLast(keepsClient))) == .answer else { return }
        let bytes = answer.bytes(
            forHead: headOnly, keepsClient: !self.machine.isAnswering, headers: self.headers,
            cookies: self.summary.cookies, date: WallClock.httpDate())
        self.connection?.send(bytes.span)
        let report = RequestReport(
            status: answer.status, bytes: headOnly ? 0 : answer.length, duration: self.loop.now - self.began,
            brokenOff: nil)
        report.log((request.method, request.target), of: self.subject, self.context)
        self.context.metrics.requestServed(
            route: self.route?.settings.name, status: answer.status, after: report.duration)
        self.goOn()
    }

    /// The request is not served.
    ///
    /// - Parameter head: `nil` if it is not whole.
    func turnAway(_ refusal: Refusal, _ head: RequestHead?) {
        let phase = self.phase
        guard self.machine.handle(.answered(isLast: self.isLast(refusal.keepsClient))) == .answer else { return }
        var subject = self.subject
        subject.asked = head.map(RequestedPlace.init)
        self.refuse(refusal, subject, in: phase)
    }

    /// Whether the connection ends after an answer, although `keepsClient`: a gateway that drains takes no more requests.
    private func isLast(_ keepsClient: Bool) -> Bool { !keepsClient || self.context.isDraining }

    /// The answer is sent, or queued.
    private func goOn() {
        if self.machine.isAnswering { self.endAfterAnswer() } else { self.awaitRequest() }
    }

    /// Sends the client a refusal, and logs it.
    ///
    /// - Parameters:
    ///   - subject: what the log line begins with.
    ///   - phase: how far the connection, or its session, had come.
    func refuse(_ refusal: Refusal, _ subject: LogSubject, in phase: Phase) {
        subject.refused(refusal, in: phase, self.context)
        let bytes = refusal.bytes(
            keepsClient: !self.machine.isAnswering, headers: self.headers, cookies: self.summary.cookies,
            date: WallClock.httpDate())
        self.connection?.send(bytes.span)
        self.goOn()
    }

    /// `headers` of the route, once it has one.
    private var headers: HTTPFields { self.route?.settings.headers ?? HTTPFields() }

    /// The refusal of a client that has sent no whole request.
    func refusal(_ why: ClientMachine.Refused) -> Refusal {
        switch why {
        case .headTimeout: .headTimeout
        case .draining: .draining(routeIndex: nil)
        case .memory: .outOfMemory
        }
    }

    /// Nothing follows the answer; what the client still sends is not looked at.
    func endAfterAnswer() {
        guard let connection = self.connection else { return }
        self.request = PartialRequest(self.listener.settings.limits)
        self.early = []
        self.assembles(0)
        self.closing = Closing(at: self.loop.now)
        self.setDeadline(at: self.loop.now + LegClosing.firstLook)
        if connection.isPaused { connection.resume() }
        if connection.mayRead { connection.readAgainLater() }
        connection.shutDown()
        self.settle()
    }

    // MARK: - What comes

    /// Reads what is there and discards it, as long as the connection's share of the turn lasts, but at least once.
    func discard(_ connection: Connection) {
        if self.machine.hasEnded { return self.watchEnded(connection) }
        while connection.mayRead, connection.isOpen {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.heard(connection)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
            case .incomplete: self.heard(connection)
            case .nothing: break
            case .end(let inOrder):
                return self.ended(connection, connection.end(inOrder: inOrder, hasClosed: false).end)
            case .failed: return self.ended(connection, .failed)
            }
            if self.loop.budget.isShareSpent { break }
        }
        if connection.mayRead, connection.isOpen { connection.readAgainLater() }
    }

    /// The client had ended its side and now the connection fails: it accepts nothing more.
    private func watchEnded(_ connection: Connection) {
        if connection.failure != nil || connection.takeFailure() != nil { self.ended(connection, .failed) }
    }

    /// The client's side has ended; or the kernel ended the connection because the client accepted nothing.
    private func ended(_ connection: Connection, _ end: ConnectionEnd) {
        self.handle(connection.hasStalled ? .stalled : .ended(end))
    }

    /// Closes the connection if the client has ended its side and everything was delivered.
    func settle() {
        guard self.machine.hasEnded, let connection = self.connection, connection.hasDelivered() else { return }
        self.handle(.delivered)
    }

    // MARK: - What is due

    /// The timer fired while the client's end is waited for.
    func checkClosing() {
        var hasLooked = false
        while let connection = self.connection, let closing = self.closing {
            let due = closing.leg.check(at: self.loop.now, self.closingTimes, self.sight(of: connection, closing))
            if case .nothing(let until) = due {
                self.setDeadline(at: until)
                return self.settle()
            }
            if !hasLooked, !self.machine.hasEnded {
                // Read first: if this process was stopped for a while, what we wait for may be in the socket.
                hasLooked = true
                connection.lookAgain()
                self.discard(connection)
                continue
            }
            self.handle(due == .stalled ? .stalled : .timeOver)
        }
    }

    private var closingTimes: LegClosing.Times {
        let settings = self.route?.settings
        return LegClosing.Times(close: (settings?.timeouts ?? Timeouts()).close, heartbeat: settings?.heartbeat)
    }

    private func sight(of connection: Connection, _ closing: Closing) -> LegClosing.Sight {
        let sight = connection.sight(awaiting: .end, lastByte: self.lastByte)
        // Set late, because most connections end before the first check.
        if sight.undelivered > 0, !closing.hasUserTimeout {
            closing.hasUserTimeout = true
            connection.setUserTimeout(self.closingTimes.stall)
        }
        return sight
    }
}
