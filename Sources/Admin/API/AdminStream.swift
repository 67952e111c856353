/// What a WebSocket at the admin address shows.
public enum AdminStream: Equatable, Sendable {
    /// `/api/events`
    case events
}
