/// What the control thread counts.
package struct ControlMetrics: Sendable {
    struct HealthCheck: Hashable, Sendable {
        let backend: String
        let endpoint: String
        let passed: Bool
    }

    private(set) var healthChecks: [HealthCheck: UInt64] = [:]
    private(set) var appliedReloads: UInt64 = 0
    private(set) var refusedReloads: UInt64 = 0

    package init() {}

    /// An active check of an endpoint is done.
    package mutating func healthChecked(backend: String, endpoint: String, passed: Bool) {
        self.healthChecks[HealthCheck(backend: backend, endpoint: endpoint, passed: passed), default: 0] += 1
    }

    /// A reload is done; a dry run is none.
    package mutating func reloaded(_ outcome: ReloadOutcome) {
        switch outcome {
        case .applied: self.appliedReloads += 1
        case .refused: self.refusedReloads += 1
        }
    }
}
