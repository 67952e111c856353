public import Admission

/// What operators see of a room.
public struct RoomFacts: Sendable {
    /// A message that is remembered.
    public struct Remembered: Sendable {
        /// 1 for the room's first message.
        public let offset: Int
        /// When it was posted, since 1970-01-01 00:00 UTC.
        public let at: Duration
        /// It is text, and not binary.
        public let isText: Bool
        /// In bytes.
        public let size: Int
        /// `nil` where payloads are not shown.
        public let payload: [UInt8]?
    }

    /// Its name.
    public let name: RoomName
    /// Members, on all workers.
    public internal(set) var members = 0
    /// Messages so far: since the room has members, or, with history, in its epoch.
    public internal(set) var messages: UInt64 = 0
    /// The epoch of its offsets, and the latest offset; `nil` without history.
    public internal(set) var position: (epoch: String, offset: Int)?
    /// How many messages are remembered.
    public internal(set) var remembered = 0
    /// The approximate memory of these, in bytes.
    public internal(set) var bytes = 0

    init(_ name: RoomName) { self.name = name }
}
