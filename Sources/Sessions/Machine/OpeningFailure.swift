/// Why there is no session: the client hears a status, the log the reason.
public indirect enum OpeningFailure: Equatable, Sendable {
    /// The request did not come within `timeouts.handshake`.
    case headTimeout
    case noEndpoint
    case connectFailed(String)
    case backendTimeout(String)
    case badBackend(String)
    case draining
    case memory
}
