internal import Sessions

/// Messages that one client sends to its room.
public struct RoomPost: Sendable {
    let ledger: RoomLedger
    /// The place in the room's order: 1 for the first.
    let number: UInt64
    let messages: RoomMessages
    /// Of its first message; `nil` without history.
    let position: RoomHistories.Position?
    /// When it was posted, since 1970-01-01 00:00 UTC.
    let at: Duration
    let sender: RoomSender
    /// A session that does not get it.
    let excluded: SessionID?
}
