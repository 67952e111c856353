public import Sessions

/// The sessions of which a tail shows the frames.
public enum TailSelection: Equatable, Sendable {
    /// One session. The tail ends with it.
    case session(SessionID)
    /// All sessions of the route with this name, those that are opened later included.
    case route(String)
}
