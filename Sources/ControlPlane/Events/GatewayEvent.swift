public import Observability

/// What a listener to the gateway is told.
public enum GatewayEvent: Sendable {
    case logged(LoggedEvent)
    /// What was counted since the last one, about a second before.
    case summary(ActivityPoint)
    /// There were more events than the control thread could take; so many are left out.
    case skipped(Int)
}
