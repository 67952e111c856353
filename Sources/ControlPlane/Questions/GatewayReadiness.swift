/// What the gateway would answer to "may I send you new clients?".
public enum GatewayReadiness: Sendable, Equatable {
    case ready
    case draining
    /// There is no listener that accepts connections.
    case noListener
}
