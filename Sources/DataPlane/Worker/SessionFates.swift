public import Sessions

/// What a configuration means for the sessions of one or more workers.
public struct SessionFates: Sendable {
    /// The sessions that have to be drained.
    public private(set) var condemned: Set<SessionID> = []
    /// How many of them there are for each reason, such as "the route chat is gone".
    public private(set) var reasons: [String: Int] = [:]
    /// How many sessions go on.
    public private(set) var kept = 0

    /// No sessions.
    public init() {}

    mutating func add(_ session: SessionID, _ fate: ActiveConfiguration.Fate) {
        switch fate {
        case .stays: self.kept += 1
        case .drains(let reason):
            self.condemned.insert(session)
            self.reasons[reason, default: 0] += 1
        }
    }

    /// The sum of two workers.
    public static func + (left: SessionFates, right: SessionFates) -> SessionFates {
        var sum = left
        sum.condemned.formUnion(right.condemned)
        sum.reasons.merge(right.reasons, uniquingKeysWith: +)
        sum.kept += right.kept
        return sum
    }
}
