/// One side of a session.
package enum Leg: String, Hashable, Sendable {
    case client
    case backend

    package var other: Leg { self == .client ? .backend : .client }
}

/// A value for each leg.
package struct PerLeg<Value> {
    package var client: Value
    package var backend: Value

    package init(client: Value, backend: Value) {
        self.client = client
        self.backend = backend
    }

    package subscript(leg: Leg) -> Value {
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
