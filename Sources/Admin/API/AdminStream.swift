public import DataPlane

/// What a WebSocket at the admin address shows.
public enum AdminStream: Equatable, Sendable {
    /// `/api/events`
    case events
    /// `/api/sessions/ID/tail`, `/api/tail`
    case tail(TailSelection)
}
