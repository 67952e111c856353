/// What an open session does.
public enum SessionKind: Equatable, Sendable {
    /// WebSocket to WebSocket.
    case relay
    /// WebSocket to TCP: the server's end of file counts as its Close, and a Close to the server is a FIN.
    case bridge
    /// A built-in service: there is no connection to a backend.
    case serve

    /// The phase of an open session of this kind.
    public var phase: Phase {
        switch self {
        case .relay: .relay
        case .bridge: .bridge
        case .serve: .serve
        }
    }
}
