public import Admission
internal import Configuration
internal import Sessions
public import WebSocketProtocol

/// The rooms of a backend, for operators. Any thread may use it.
public struct RoomDesk: Sendable {
    /// The backend's name.
    public let backend: String
    private let rooms: BackendRooms
    private let history: BackendSettings.History?
    private let network: FleetRooms
    /// Whether the rooms are at a server: then answers take a while, so ask on a thread that may wait.
    public let isShared: Bool
    private let showsPayloads: Bool

    /// `nil`: the backend has no rooms.
    ///
    /// - Parameter showsPayloads: of messages that are remembered.
    public init?(_ backend: Backend, _ fleet: Fleet, showsPayloads: Bool) {
        guard let rooms = backend.rooms else { return nil }
        self.backend = backend.name
        self.rooms = rooms
        self.history = backend.settings.history
        self.showsPayloads = showsPayloads
        // None of the workers: members get it by mailbox.
        self.network = FleetRooms(fleet: fleet, worker: 0)
        self.isShared = fleet.cluster.isOn
    }

    /// `BackendRooms.publish`
    public func publish(_ message: Message, to room: RoomName, key: String?, without excluded: String?) -> Published? {
        guard !self.isShared else {
            return self.network.cluster.ask { answer in
                .publish(
                    .init(message: message, key: key, excluded: excluded.flatMap { SessionID($0) }, answer: answer),
                    to: self.place(of: room))
            } ?? nil
        }
        return self.rooms.publish(
            message, to: room, key: key, without: excluded.flatMap { SessionID($0) }, over: self.network, self.history)
    }

    /// All rooms that have members, or of which something is remembered, in no order.
    public var facts: [RoomFacts] { self.rooms.facts(self.history) }

    /// One room, and what is remembered of it; `nil`: there is none.
    public func room(_ name: RoomName) -> (facts: RoomFacts, remembered: [RoomFacts.Remembered])? {
        guard self.isShared, self.history != nil else {
            return self.rooms.room(name, self.history, showsPayloads: self.showsPayloads)
        }
        let found: RoomHistories.Recovery?? = self.network.cluster.ask { .show(self.place(of: name), answer: $0) }
        guard let recovery = found ?? nil, let position = recovery.position else {
            return self.rooms.room(name, nil, showsPayloads: false)
        }
        let ledger = self.rooms.occupied(name)
        guard ledger != nil || position.offset > 0 else { return nil }
        return self.facts(of: name, ledger, position, recovery.missed)
    }

    /// What the server has of a room.
    private func facts(
        of name: RoomName, _ ledger: RoomLedger?, _ position: RoomHistories.Position, _ entries: [RoomHistories.Entry]
    ) -> (facts: RoomFacts, remembered: [RoomFacts.Remembered]) {
        var facts = RoomFacts(name)
        facts.members = ledger?.counts.members ?? 0
        facts.messages = UInt64(position.offset)
        facts.position = (position.epoch, position.offset)
        facts.remembered = entries.count
        facts.bytes = entries.reduce(0) { $0 + $1.cost }
        return (facts, entries.remembered(upTo: position.offset, showsPayloads: self.showsPayloads))
    }

    private func place(of room: RoomName) -> ClusterOrder.Place {
        ClusterOrder.Place(room, of: self.rooms, self.history)
    }

    /// Forgets what is remembered of a room. Its members stay.
    ///
    /// - Returns: whether there was one.
    public func forget(_ name: RoomName) -> Bool {
        guard self.isShared else { return self.rooms.forget(name, self.history) }
        let wasKnown: Bool?? = self.network.cluster.ask { .forget(self.place(of: name), answer: $0) }
        return (wasKnown ?? nil) == true || self.rooms.occupied(name) != nil
    }
}
