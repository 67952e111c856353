internal import DataPlane
internal import Observability
internal import System

/// What the workers count between two looks at them.
final class ActivityMeter {
    private let survey: Survey
    /// As of the last look; `nil` before the first.
    private var last: ActivityTotals?
    private var isLooking = false

    /// - Parameter start: what was counted before; `nil`: the first look finds out, and reports nothing.
    init(_ survey: Survey, from start: ActivityTotals?) {
        self.survey = survey
        self.last = start
    }

    /// Asks the workers, unless they still owe the last answer: then the next look reports both times together.
    func look(then: @escaping (ActivityPoint) -> Void) {
        guard !self.isLooking else { return }
        self.isLooking = true
        self.survey.ask {
            $0.activity
        } then: { [weak self] counts in
            self?.received(counts, then)
        }
    }

    private func received(_ counts: [ActivityTotals], _ then: (ActivityPoint) -> Void) {
        var totals = ActivityTotals()
        for count in counts { totals.add(count) }
        self.isLooking = false
        let last = self.last
        self.last = totals
        if let last { then(ActivityPoint(at: WallClock.sinceEpoch(), counts: totals.since(last))) }
    }
}
