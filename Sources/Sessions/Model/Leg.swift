/// One side of a session.
public enum Leg: String, Hashable, Sendable {
    /// The side that asked for the session.
    case client
    /// The side that the route leads to.
    case backend

    /// The opposite side.
    public var other: Leg { self == .client ? .backend : .client }
}

/// A value for each leg.
public struct PerLeg<Value> {
    /// The client's.
    public var client: Value
    /// The backend's.
    public var backend: Value

    /// A value for the client's leg, and one for the backend's.
    public init(client: Value, backend: Value) {
        self.client = client
        self.backend = backend
    }

    /// The value of `leg`.
    public subscript(leg: Leg) -> Value {
        get { leg == .client ? self.client : self.backend }
        _modify {
            switch leg {
            case .client: yield &self.client
            case .backend: yield &self.backend
            }
        }
    }
}

extension PerLeg: Sendable where Value: Sendable {}
extension PerLeg: Equatable where Value: Equatable {}
