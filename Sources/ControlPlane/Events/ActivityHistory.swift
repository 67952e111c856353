internal import Observability
internal import System

/// What was counted in the last quarter of an hour, in steps. It is kept whether it is looked at or not.
final class ActivityHistory {
    /// The length of a step.
    static let step = Duration.seconds(10)
    private static let mostPoints = 90

    private let meter: ActivityMeter
    private var timer: ControlTimer?
    /// The oldest first.
    private(set) var points: [ActivityPoint] = []

    init(_ survey: Survey, _ loop: EventLoop) {
        self.meter = ActivityMeter(survey, from: ActivityTotals())
        self.timer = ControlTimer(loop, every: Self.step) { [unowned self] in
            self.meter.look { [unowned self] in self.add($0) }
        }
    }

    private func add(_ point: ActivityPoint) {
        if self.points.count == Self.mostPoints { self.points.removeFirst() }
        self.points.append(point)
    }
}
