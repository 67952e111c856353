package import Sessions

/// What a configuration means for the sessions of one worker, or of several.
package struct SessionFates: Sendable {
    /// The sessions that have no place in it.
    package private(set) var condemned: Set<SessionID> = []
    /// How many of them there are for each reason, such as "the route chat is gone".
    package private(set) var reasons: [String: Int] = [:]
    /// How many sessions go on.
    package private(set) var kept = 0

    package init() {}

    mutating func add(_ session: SessionID, _ fate: ActiveConfiguration.Fate) {
        switch fate {
        case .stays: self.kept += 1
        case .drains(let reason):
            self.condemned.insert(session)
            self.reasons[reason, default: 0] += 1
        }
    }

    package static func + (left: SessionFates, right: SessionFates) -> SessionFates {
        var sum = left
        sum.condemned.formUnion(right.condemned)
        sum.reasons.merge(right.reasons, uniquingKeysWith: +)
        sum.kept += right.kept
        return sum
    }
}
