/// `http` of a route: what becomes of requests that do not ask for an upgrade.
public enum PlainHTTP: String, CaseIterable, Sendable {
    /// They go to the WebSocket backend.
    case pass
    /// They are answered with 426.
    case off
}
