/// What came of a message that was published.
struct Published: Equatable, Sendable {
    /// `nil` without history.
    var position: RoomHistories.Position?
    /// Members that it went to, on this gateway.
    var receivers: Int
}
