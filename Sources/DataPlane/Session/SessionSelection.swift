public import Sessions

/// Which sessions an order or a question is about.
public enum SessionSelection: Sendable {
    case all
    case ofBackend(String)
    case ofEndpoint(Endpoint)
    case these(Set<SessionID>)
}
