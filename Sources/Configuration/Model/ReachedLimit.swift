/// Which limit was reached, for metrics and the log.
public struct ReachedLimit: Hashable, Sendable {
    /// Its key in `limits`.
    public enum Key: String, Sendable {
        case connectionsPerAddress = "connections-per-address"
        case sessions
        case sessionsPerAddress = "sessions-per-address"
        case handshakesPerAddress = "handshakes-per-address"
        case requestsPerAddress = "requests-per-address"
        case messagesPerSecond = "messages-per-second"
        case bytesPerSecond = "bytes-per-second"
    }

    /// What it is a limit of.
    public enum Owner: String, Sendable {
        case session
        case route
        case listener
        case gateway
    }

    /// Its key in `limits`.
    public let key: Key
    /// What it is a limit of.
    public let owner: Owner

    /// See the properties.
    public init(_ key: Key, of owner: Owner) {
        self.key = key
        self.owner = owner
    }
}
