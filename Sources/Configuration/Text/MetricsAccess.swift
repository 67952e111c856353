/// `metrics` of `admin`: whether /metrics is for those with a password only.
public enum MetricsAccess: String, CaseIterable, Sendable {
    /// As everything else at the admin address.
    case asks
    /// Every client of the admin address gets it.
    case open
}
