internal import Balancing

/// An operator's order about one endpoint, until the next order or start.
public struct EndpointOrder: Equatable, Sendable {
    /// What is wanted of it.
    public enum State: String, CaseIterable, Sendable {
        /// Its health decides.
        case up
        /// Only clients with a cookie that names it still come.
        case drain
        /// No client comes.
        case down

        var health: EndpointHealth.Order {
            switch self {
            case .up: .up
            case .drain: .reserve
            case .down: .down
            }
        }
    }

    /// The name of its backend.
    public var backend: String
    /// Its name, as it is written in the configuration.
    public var endpoint: String
    /// What is wanted of it.
    public var state: State

    /// See the properties.
    public init(backend: String, endpoint: String, state: State) {
        self.backend = backend
        self.endpoint = endpoint
        self.state = state
    }
}
