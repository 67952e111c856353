/// How much of a room's history the server keeps.
public struct RoomHistoryBounds: Equatable, Sendable {
    /// The most messages.
    public var messages: Int
    /// How long, anew with each message.
    public var duration: Duration

    /// - Parameter messages: at least 1.
    public init(messages: Int, for duration: Duration) {
        self.messages = messages
        self.duration = duration
    }
}
