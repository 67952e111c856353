internal import Configuration
internal import Connections
public import Observability
internal import Sessions
internal import System
public import WebSocketProtocol

/// What the control thread asks a worker. To be called on the worker's thread.
extension Worker {
    /// The live sessions, and those that are being opened.
    ///
    /// - Parameter subject: only those of this one; `nil`: all, and every connection without a session.
    public func rows(ofSubject subject: String?) -> [SessionRow] {
        func isWanted(_ credential: CredentialSummary?) -> Bool { subject.map { credential?.isOf($0) == true } ?? true }
        return self.sessions.values.filter { isWanted($0.summary.credential) }.compactMap(\.row)
            + self.clients.values.filter { isWanted($0.summary.credential) }.compactMap(\.row)
    }

    /// The counts so far, with the messages of live sessions.
    public var counts: MetricsSnapshot {
        var counts = self.context.metrics.counts
        counts.memory = [.queued: self.memory.queued, .assembled: self.memory.assembled]
        counts.loopTurns = self.loop.turnTimes
        counts.handshakesWaiting = self.loop.longStepsWaiting
        for client in self.clients.values { counts.queueBytes += client.queuedBytes }
        for session in self.sessions.values {
            for leg in [Leg.client, .backend] { counts.queueBytes += session.connection(leg)?.queuedBytes ?? 0 }
            guard let conversation = session.conversation, let route = session.route else { continue }
            counts.routes[route.settings.name, default: .init()].add(conversation.tally)
        }
        return counts
    }

    /// What a dashboard shows of the counts.
    public var activity: ActivityTotals {
        var activity = self.context.metrics.activity
        for session in self.sessions.values {
            if let conversation = session.conversation { activity.add(conversation.tally) }
        }
        return activity
    }

    /// Which sessions hold memory, and what waits for room.
    public var memoryReport: MemoryReport { self.memory.report }

    /// How many sessions the selection has.
    public func count(_ selection: SessionSelection) -> Int {
        self.sessions.values.count { $0.isSelected(by: selection) }
            + self.clients.values.count { $0.isSelected(by: selection) }
    }

    /// What a configuration would mean for the present sessions.
    public func fates(under configuration: ActiveConfiguration) -> SessionFates {
        var fates = SessionFates()
        for session in self.sessions.values {
            if let fate = session.fate(under: configuration) { fates.add(session.id, fate) }
        }
        return fates
    }

    /// Closes the session with this id. Returns `false` if there is none.
    public func close(id: String, _ code: CloseCode, reason: String) -> Bool {
        let ending = Ending.byAdmin(code, reason: reason)
        if let session = self.sessions.values.first(where: { $0.id.description == id }) {
            session.close(ending)
        } else if let client = self.clients.values.first(where: { $0.id.description == id }) {
            client.close(ending)
        } else {
            return false
        }
        return true
    }

    /// Closes the sessions of a subject, and those that are being opened.
    ///
    /// - Parameter dryRun: only count them.
    /// - Returns: how many there are.
    public func close(subject: String, dryRun: Bool) -> Int {
        let sessions = self.sessions.values.filter { $0.isOpen && $0.summary.credential?.isOf(subject) == true }
        let clients = self.clients.values.filter { client in
            client.exchange is Session && client.summary.credential?.isOf(subject) == true
        }
        if !dryRun {
            for session in sessions { session.close(.byGateway(.credentialRevoked)) }
            for client in clients { client.close(.byGateway(.credentialRevoked)) }
        }
        return sessions.count + clients.count
    }

    /// Sends the control thread the answer to question number `question`.
    public func answer(_ answer: any Sendable, to question: Int) {
        self.fleet.control.send(.answer(answer, id: question, worker: self.index))
    }
}
