internal import Balancing
internal import Configuration
internal import DataPlane
internal import Observability
internal import Sessions
internal import System
internal import Takeover

/// Closes many sessions, spread over time: all of them before the process ends, those of a backend or an endpoint, or those that a reload
/// condemns.
final class Drainer {
    /// `serving → draining → stopped`
    private enum State {
        case serving
        /// No session is opened any more, and the open ones are closed over time.
        case draining(Draining)
        case stopped
    }

    /// Why it drains, as the log says it.
    enum Reason: String {
        case signal
        case admin
        case takeover
    }

    private struct Draining {
        /// Logs once a second how many sessions are left.
        let progress: ControlTimer
        /// Fires when `drain.delay` is over, and again when it is time to abort what is left.
        var next: ControlTimer?
        /// When what is left is aborted; `nil` before the closing begins.
        var end: MonotonicInstant?
        /// The workers that have no session left.
        var drained: Set<Int> = []
        /// A command began it, and no signal has come: the first one only asks for what is being done.
        var isUnsignalled: Bool
    }

    /// The shortest time between the last Close and the abort of what is not delivered by then.
    private static let leastForLast = Duration.seconds(10)

    private let fleet: Fleet
    private let survey: Survey
    private let serving: Serving
    private let supervisor: Supervisor
    private let loop: EventLoop
    private let log: Log
    private var state = State.serving

    init(
        _ fleet: Fleet, _ survey: Survey, _ serving: Serving, _ supervisor: Supervisor, _ loop: EventLoop, _ log: Log
    ) {
        self.fleet = fleet
        self.survey = survey
        self.serving = serving
        self.supervisor = supervisor
        self.loop = loop
        self.log = log
    }

    /// No drain has begun.
    var isServing: Bool { if case .serving = self.state { true } else { false } }

    var hasStopped: Bool { if case .stopped = self.state { true } else { false } }

    /// When what is left of the draining process is aborted; `nil`: it serves, or the closing has not begun.
    var end: MonotonicInstant? { if case .draining(let draining) = self.state { draining.end } else { nil } }

    // MARK: - The whole process

    /// Closes every session, spread over `drain.over`, and then ends the process. Accepting goes on until `drain.delay` is over.
    ///
    func drain(because reason: Reason) {
        self.supervisor.stopping("draining")
        self.begin(because: reason)
        let delay = self.serving.configuration.settings.drain.delay
        guard delay > .zero else { return self.closeEverything(leaving: [], opening: .refused) }
        self.next(after: delay) { [unowned self] in self.closeEverything(leaving: [], opening: .refused) }
    }

    /// Drains after a takeover. There is no delay: the successor serves already.
    ///
    /// - Parameter adopted: the ids of listeners that the successor has too. It accepts the connections that wait there.
    func handOver(leaving adopted: Set<Int>) {
        guard self.isServing else { return }
        self.begin(because: .takeover)
        self.closeEverything(leaving: adopted, opening: .finished)
    }

    /// A worker has no session left.
    func drained(worker: Int) {
        guard case .draining(var draining) = self.state else { return }
        draining.drained.insert(worker)
        self.state = .draining(draining)
        if draining.drained.count == self.fleet.members.count { self.stop() }
    }

    /// A signal to end came while it drains. Supervisors send one behind their own command to drain, and it changes nothing; any other
    /// aborts what is left.
    func signalled() {
        if case .draining(var draining) = self.state, draining.isUnsignalled {
            draining.isUnsignalled = false
            self.state = .draining(draining)
        } else {
            self.stop()
        }
    }

    /// Aborts what is left and ends the loop.
    func stop() {
        guard !self.hasStopped else { return }
        if case .draining(let draining) = self.state {
            draining.progress.cancel()
            draining.next?.cancel()
        }
        self.state = .stopped
        self.fleet.tell(.stop)
        self.loop.stop()
    }

    private func begin(because reason: Reason) {
        self.logProgress(reason)
        let progress = ControlTimer(self.loop, every: .seconds(1)) { [unowned self] in self.logProgress(reason) }
        self.state = .draining(Draining(progress: progress, isUnsignalled: reason == .admin))
    }

    private func closeEverything(leaving: Set<Int>, opening: DrainOrder.Opening) {
        self.fleet.tell(.stopAccepting(leaving: leaving))
        self.count(.all) { [unowned self] selections in
            let pace = self.close(selections, .drain, opening)
            // What is not delivered by then is aborted.
            var limit = pace.end + max(self.serving.configuration.settings.drain.over, Self.leastForLast)
            // Sessions that are still opening are closed once they are open.
            if case .finished = opening { limit += self.serving.configuration.longestHandshake }
            self.next(after: limit, isEnd: true) { [unowned self] in self.stop() }
        }
    }

    private func next(after delay: Duration, isEnd: Bool = false, _ action: @escaping () -> Void) {
        guard case .draining(var draining) = self.state else { return }
        draining.next?.cancel()
        draining.next = ControlTimer(self.loop, once: delay, action)
        if isEnd { draining.end = self.loop.now + delay }
        self.state = .draining(draining)
    }

    private func logProgress(_ reason: Reason) {
        var record = LogRecord(.info, "draining")
        record.add("reason", reason.rawValue)
        record.add("sessions", self.fleet.sessions)
        self.log.write(record)
    }

    // MARK: - Some sessions

    /// Sessions of each worker, and how many they are.
    private typealias Selections = [(selection: SessionSelection, count: Int)]

    /// Closes sessions, spread as the keys of `drain` say. A drain of the whole process that has begun meanwhile closes them with the others.
    ///
    /// - Parameter then: gets the number of sessions.
    func close(_ selection: SessionSelection, then: @escaping (_ sessions: Int) -> Void) {
        self.count(selection) { [unowned self] selections in
            if self.isServing { _ = self.close(selections, .drain, .finished) }
            then(selections.reduce(0) { $0 + $1.count })
        }
    }

    /// Closes the sessions that a reload condemns, at the same pace.
    ///
    /// - Parameter sessions: the ids, for each worker.
    func close(condemned sessions: [Set<SessionID>]) {
        guard self.isServing, sessions.contains(where: { !$0.isEmpty }) else { return }
        _ = self.close(sessions.map { (selection: .these($0), count: $0.count) }, .reload, .finished)
    }

    private func count(_ selection: SessionSelection, then: @escaping (Selections) -> Void) {
        self.survey.ask {
            $0.count(selection)
        } then: { counts in
            then(counts.map { (selection: selection, count: $0) })
        }
    }

    private func close(_ selections: Selections, _ cause: Cause, _ opening: DrainOrder.Opening) -> ClosingPace {
        let settings = self.serving.configuration.settings.drain
        let counts = selections.map(\.count)
        let pace = ClosingPace(count: counts.reduce(0, +), over: settings.over, rate: settings.rate)
        var random = SystemRandomNumberGenerator()
        let slots = ClosingPace.deal(counts, using: &random)
        for (index, member) in self.fleet.members.enumerated() {
            let times = slots[index].map { pace.time(ofSlot: $0, jitter: .random(in: 0..<1)) }
            let order = DrainOrder(cause: cause, times: times, end: pace.end, opening: opening)
            member.mailbox.send(.drain(selections[index].selection, order))
        }
        return pace
    }
}
