/// What was counted in a part of time.
public struct ActivityPoint: Equatable, Sendable {
    /// When that part ended, since 1970-01-01 00:00 UTC.
    public let at: Duration
    /// What was counted in it, and the sessions at its end.
    public let counts: ActivityTotals

    /// See the properties.
    public init(at: Duration, counts: ActivityTotals) {
        self.at = at
        self.counts = counts
    }
}
