/// Whether load balancers should send new clients.
public enum GatewayReadiness: Sendable, Equatable {
    case ready
    case draining
    /// No listener accepts connections.
    case noListener
}
