/// What an open session does.
public enum SessionKind: Equatable, Sendable {
    /// WebSocket to WebSocket.
    case relay
    /// WebSocket to TCP: the server's end of file is its Close, and ours is a FIN.
    case bridge
    /// There is no connection to a backend: we are the server ourselves.
    case serve

    public var phase: Phase {
        switch self {
        case .relay: .relay
        case .bridge: .bridge
        case .serve: .serve
        }
    }
}
