internal import Admission
internal import Sessions

extension Refusal {
    /// What the client gets for `failure`. The endpoint's name is before the reason, which only the log has.
    ///
    /// - Parameter isSession: the request was to open one.
    static func opening(
        _ failure: OpeningFailure, of endpoint: Endpoint?, isSession: Bool, routeIndex: Int
    ) -> Refusal {
        let name = endpoint?.name ?? "-"
        return switch failure {
        case .noEndpoint: .noEndpoint(routeIndex: routeIndex)
        case .connectFailed(let reason): .connectFailed("\(name): \(reason)", routeIndex: routeIndex)
        case .backendTimeout(let reason): .backendTimeout("\(name): \(reason)", routeIndex: routeIndex)
        case .badBackend(let reason) where isSession: .badBackend("\(name): \(reason)", routeIndex: routeIndex)
        case .badBackend(let reason): .badAnswer("\(name): \(reason)", routeIndex: routeIndex)
        case .draining: .draining(routeIndex: routeIndex)
        case .memory: .outOfMemory
        }
    }
}
