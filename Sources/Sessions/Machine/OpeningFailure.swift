/// Why there is no session: the client hears a status, the log the reason.
package enum OpeningFailure: Equatable, Sendable {
    /// The request did not come within `timeouts.handshake`.
    case headTimeout
    case noEndpoint
    case connectFailed(String)
    case backendTimeout(String)
    case badBackend(String)
    case draining
    case memory

    /// More on it, for the log; `nil` where there is no more to say.
    package var reason: String? {
        switch self {
        case .connectFailed(let reason), .backendTimeout(let reason), .badBackend(let reason): reason
        case .headTimeout, .noEndpoint, .draining, .memory: nil
        }
    }
}
