internal import Admission
internal import HTTP1

/// A request that goes on if its credential is good.
struct JudgedRequest {
    let demand: Demand
    /// What it leads to then.
    let decision: Admission.Decision
    let head: RequestHead
    /// The configuration in force when its head was whole.
    let configuration: WorkerConfiguration

    var route: Route { self.configuration.shared.routes[self.demand.routeIndex] }

    var isUpgrade: Bool {
        if case .upgrade = self.decision { true } else { false }
    }
}
