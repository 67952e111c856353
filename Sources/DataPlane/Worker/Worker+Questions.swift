internal import Configuration
internal import Connections
public import Observability
public import Sessions
internal import System

/// What the control thread asks a worker. To be called on the worker's thread.
extension Worker {
    /// A page of the live sessions, and of those that are being opened.
    public func page(_ query: SessionQuery) -> SessionPage {
        var page = SessionPage()
        var first = FirstOnes<(position: SessionQuery.Position, session: any Listed)>(query.limit) {
            $0.position < $1.position
        }
        self.forEach(of: query.filter) { session, traits in
            page.total += 1
            let position = query.position(of: traits, worker: self.index)
            if let after = query.after, position <= after { return }
            first.add((position, session))
        }
        page.rows = first.take().compactMap { position, session in
            guard var row = session.row else { return nil }
            if query.earlier != nil, let traits = session.traits {
                row.rate = query.rate(of: traits, worker: self.index)
            }
            return (position, row)
        }
        page.hasMore = first.hasMore
        return page
    }

    /// How many messages each of the sessions has sent and received.
    public func messages(of filter: SessionFilter) -> [SessionID: UInt64] {
        var messages: [SessionID: UInt64] = [:]
        self.forEach(of: filter) { messages[$1.id] = $1.messages }
        return messages
    }

    private func forEach(of filter: SessionFilter, _ body: (any Listed, SessionTraits) -> Void) {
        for session in self.sessions.values {
            if let traits = session.traits, filter.matches(traits) { body(session, traits) }
        }
        for client in self.clients.values {
            if let traits = client.traits, filter.matches(traits) { body(client, traits) }
        }
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

    /// How many sessions are open or closing.
    public var sessionCount: Int { self.sessions.count }

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
        for session in self.reloadable {
            if let fate = session.fate(under: configuration) { fates.add(session.id, fate) }
        }
        return fates
    }

    /// Closes sessions, and those that are being opened.
    ///
    /// - Returns: how many there are.
    public func close(_ order: CloseOrder) -> Int {
        var found: [any Listed] = []
        self.forEach(of: order.filter) { session, _ in if session.isClosable { found.append(session) } }
        if !order.isDryRun { for session in found { session.close(order.ending) } }
        return found.count
    }

    /// Sends the control thread the answer to question number `question`.
    public func answer(_ answer: any Sendable, to question: Int) {
        self.fleet.control.send(.answer(answer, id: question, worker: self.index))
    }
}
