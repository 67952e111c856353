/// One side of a session.
public enum Leg: String, Hashable, Sendable {
    case client
    case backend

    public var other: Leg { self == .client ? .backend : .client }
}

/// A value for each leg.
public struct PerLeg<Value> {
    public var client: Value
    public var backend: Value

    public init(client: Value, backend: Value) {
        self.client = client
        self.backend = backend
    }

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
