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
    }

    /// `BackendRooms.publish`
    public func publish(_ message: Message, to room: RoomName, key: String?, without excluded: String?) -> Published? {
        self.rooms.publish(
            message, to: room, key: key, without: excluded.flatMap { SessionID($0) }, over: self.network, self.history)
    }

    /// All rooms that have members, or of which something is remembered, in no order.
    public var facts: [RoomFacts] { self.rooms.facts(self.history) }

    /// One room, and what is remembered of it; `nil`: there is none.
    public func room(_ name: RoomName) -> (facts: RoomFacts, remembered: [RoomFacts.Remembered])? {
        self.rooms.room(name, self.history, showsPayloads: self.showsPayloads)
    }

    /// Forgets what is remembered of a room. Its members stay.
    ///
    /// - Returns: whether there was one.
    public func forget(_ name: RoomName) -> Bool { self.rooms.forget(name, self.history) }
}
