/// Why no session was opened. The client gets a status; the reason goes to the log.
public indirect enum OpeningFailure: Equatable, Sendable {
    case noEndpoint
    case connectFailed(String)
    case backendTimeout(String)
    case badBackend(String)
    case draining
    case memory
}
