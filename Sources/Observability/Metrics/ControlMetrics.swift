/// What the control thread counts itself.
package struct ControlMetrics: Sendable {
    /// Reloads that were applied; a dry run is none.
    package var appliedReloads: UInt64 = 0
    /// Reloads that were refused; a dry run is none.
    package var refusedReloads: UInt64 = 0

    package init() {}
}
