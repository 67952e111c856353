internal import Sessions

/// Messages that one client sends to its room.
public struct RoomPost: Sendable {
    let ledger: RoomLedger
    /// The place in the room's order: 1 for the first.
    let number: UInt64
    let messages: RoomMessages
    let sender: RoomSender
}
