/// What the control thread counts itself.
package struct ControlMetrics: Sendable {
    private(set) var appliedReloads: UInt64 = 0
    private(set) var refusedReloads: UInt64 = 0

    package init() {}

    /// A reload is done; a dry run is none.
    package mutating func reloaded(_ outcome: ReloadOutcome) {
        switch outcome {
        case .applied: self.appliedReloads += 1
        case .refused: self.refusedReloads += 1
        }
    }
}
