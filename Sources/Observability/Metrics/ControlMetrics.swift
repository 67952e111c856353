/// What the control thread counts itself.
public struct ControlMetrics: Sendable {
    /// Reloads that were applied; a dry run is none.
    public var appliedReloads: UInt64 = 0
    /// Reloads that were refused; a dry run is none.
    public var refusedReloads: UInt64 = 0

    public init() {}
}
