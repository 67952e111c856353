public import Sessions

/// Some of the sessions.
public enum SessionSelection: Sendable {
    case all
    case ofBackend(String)
    case ofEndpoint(Endpoint)
    case these(Set<SessionID>)
}
