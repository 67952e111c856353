internal import WebSocketProtocol

/// Names a broadcast room.
struct RoomKey: Hashable, Sendable {
    /// The backend's name.
    let backend: String
    /// The path as matched: normalised, without query.
    let path: String
}

/// A message for a room, encoded once: what every member is sent.
struct RoomFrame: Sendable {
    let opcode: Opcode
    let payloadLength: Int
    /// The whole frame.
    let bytes: [UInt8]
}

/// The rooms of one worker, with the members that live on it.
struct Rooms {
    private var members: [RoomKey: [ObjectIdentifier: BroadcastConversation]] = [:]

    mutating func join(_ member: BroadcastConversation, _ room: RoomKey) {
        self.members[room, default: [:]][ObjectIdentifier(member)] = member
    }

    /// The last one to leave closes the room.
    mutating func leave(_ member: BroadcastConversation, _ room: RoomKey) {
        self.members[room]?[ObjectIdentifier(member)] = nil
        if self.members[room]?.isEmpty == true { self.members[room] = nil }
    }

    func members(of room: RoomKey) -> [BroadcastConversation] { self.members[room].map { Array($0.values) } ?? [] }
}
