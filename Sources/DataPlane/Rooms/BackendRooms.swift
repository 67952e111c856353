internal import Admission
internal import Configuration
internal import Sessions
internal import Synchronization
internal import System
internal import WebSocketProtocol

/// The rooms of a `broadcast` backend, on all workers. A reload keeps them.
public final class BackendRooms: Sendable {
    /// The backend's name.
    let backend: String
    /// Those that have members.
    private let ledgers = Mutex<[RoomName: RoomLedger]>([:])
    private let shelf = RoomShelf()

    /// None.
    ///
    /// - Parameter backend: its name.
    init(of backend: String) { self.backend = backend }

    // MARK: - Members

    /// A session joins a room, which is made if there is none.
    ///
    /// - Parameter network: the workers, one of which has the session.
    /// - Returns: the room, and what `RoomLedger.join` returns.
    func join(
        _ request: RoomRequest, _ session: SessionID, over network: any RoomNetwork,
        _ history: BackendSettings.History?
    ) -> (ledger: RoomLedger, number: UInt64, recovery: RoomHistories.Recovery) {
        self.ledgers.withLock { ledgers in
            let name = request.name
            let ledger = ledgers[name] ?? RoomLedger(name, of: self.backend, on: self.shelf, workers: network.workers)
            ledgers[name] = ledger
            let (number, recovery) = ledger.join(session, on: network.worker, from: request.start, history)
            return (ledger, number, recovery)
        }
    }

    /// A session leaves. The room ends with its last member.
    ///
    /// - Parameter network: the workers, one of which has the session.
    func leave(_ ledger: RoomLedger, _ session: SessionID, over network: any RoomNetwork) {
        let isVacant = self.ledgers.withLock { ledgers in
            guard ledger.leave(session, on: network.worker) else { return false }
            ledgers[ledger.name] = nil
            self.shelf.vacated(ledger.name)
            return true
        }
        if isVacant, network.cluster.isOn { network.cluster.orders.send(.vacated(ledger)) }
    }

    /// All rooms that have members.
    var occupied: [RoomLedger] { self.ledgers.withLock { Array($0.values) } }

    /// The room, if it has members.
    func occupied(_ name: RoomName) -> RoomLedger? { self.ledgers.withLock { $0[name] } }

    // MARK: - Publishing

    /// Publishes a message to a room, which needs no members.
    ///
    /// - Parameters:
    ///   - key: the same one publishes nothing a second time.
    ///   - excluded: a session that does not get it.
    ///   - network: the workers.
    /// - Returns: `nil`: workers are so far behind that it has to wait.
    func publish(
        _ message: Message, to room: RoomName, key: String?, without excluded: SessionID?,
        over network: any RoomNetwork, _ history: BackendSettings.History?
    ) -> Published? {
        guard !network.isBacklogged else { return nil }
        // One at a time, so that of two with the same key one is the second.
        let (published, placed) = self.ledgers.withLock { ledgers -> (Published, RoomLedger.Placed?) in
            if let key, let answer = self.shelf.answer(to: key, in: room) { return (answer, nil) }
            let placed = ledgers[room].map { ledger in
                let sender = RoomSender(worker: network.worker, of: network.workers)
                return ledger.post(
                    RoomMessages(message), from: sender, over: network, taken: nil, .inMemory(history),
                    without: excluded)
            }
            if placed == nil { self.shelf.counts.posted(1) }
            let position =
                placed.map(\.post.position)
                ?? self.shelf.append([message], at: WallClock.sinceEpoch(), to: room, isOccupied: false, history)
            let published = Published(position: position, receivers: placed?.receivers ?? 0)
            if let key { self.shelf.keep(published, for: key, in: room, history) }
            return (published, placed)
        }
        placed?.wake(over: network)
        return published
    }

    // MARK: - For operators

    /// How many rooms have members, how many messages there were, and how many times a member got one.
    public var counts: (rooms: Int, messages: UInt64, deliveries: UInt64) {
        let (messages, deliveries) = self.shelf.counts.all
        return (self.ledgers.withLock(\.count), messages, deliveries)
    }

    /// All rooms that have members, or of which something is remembered, in no order.
    func facts(_ history: BackendSettings.History?) -> [RoomFacts] {
        var ledgers = self.ledgers.withLock { $0 }
        let known = self.shelf.facts(history).map { self.facts($0, ledgers.removeValue(forKey: $0.name)) }
        return known + ledgers.map { self.facts(RoomFacts($0.key), $0.value) }
    }

    /// One room; `nil`: there is none.
    func room(
        _ name: RoomName, _ history: BackendSettings.History?, showsPayloads: Bool
    ) -> (facts: RoomFacts, remembered: [RoomFacts.Remembered])? {
        let ledger = self.ledgers.withLock { $0[name] }
        let known = self.shelf.room(name, history, showsPayloads: showsPayloads)
        guard known != nil || ledger != nil else { return nil }
        return (self.facts(known?.facts ?? RoomFacts(name), ledger), known?.remembered ?? [])
    }

    /// - Parameter ledger: `nil`: the room has no members.
    private func facts(_ facts: RoomFacts, _ ledger: RoomLedger?) -> RoomFacts {
        guard let ledger else { return facts }
        var facts = facts
        let counts = ledger.counts
        facts.members = counts.members
        if facts.position == nil { facts.messages = counts.messages }
        if let position = counts.position { facts.position = (position.epoch, position.offset) }
        return facts
    }

    /// Forgets what is remembered of a room. Its members stay.
    ///
    /// - Returns: whether there was such a room.
    func forget(_ name: RoomName, _ history: BackendSettings.History?) -> Bool {
        self.ledgers.withLock { ledgers in
            let wasKnown = self.shelf.forget(name, history)
            return wasKnown || ledgers[name] != nil
        }
    }
}
