public import System

/// Whether there is a link to the server that gateways share.
public struct ClusterStatus: Equatable, Sendable {
    /// The server, as the configuration has it.
    public let server: String
    /// Whether there is a link.
    public let isUp: Bool
    /// Since when this is so.
    public let since: MonotonicInstant
}
