internal import Sessions

/// What other threads tell a worker of its rooms. What concerns one room comes in its order.
enum RoomNews: Sendable {
    case post(RoomPost)
    /// The session asked for it, and is a member from here on.
    ///
    /// - number: that of the latest post that it does not get.
    case joined(SessionID, RoomLedger, number: UInt64, RoomHistories.Recovery)
    /// What came of a message that was published; `nil`: it is not known to be published.
    ///
    /// - id: the caller's.
    case published(id: Int, Published?)
    /// The members may have missed messages, and nothing has these any more.
    case historyLost(RoomLedger)
}
