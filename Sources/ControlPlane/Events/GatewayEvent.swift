public import Observability

/// What a listener to the gateway is told.
public enum GatewayEvent: Sendable {
    /// A JSON object with the fields of a line of the log.
    case logged([UInt8])
    /// What was counted since the last one, about a second before.
    case summary(ActivityPoint)
    /// There were more events than the control thread could take; so many are left out.
    case skipped(Int)
}
