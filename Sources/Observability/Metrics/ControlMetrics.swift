/// The counts of the control thread.
public struct ControlMetrics: Sendable {
    /// Reloads that were applied, without dry runs.
    public var appliedReloads: UInt64 = 0
    /// Reloads that were refused, without dry runs.
    public var refusedReloads: UInt64 = 0

    /// Zeros.
    public init() {}
}
