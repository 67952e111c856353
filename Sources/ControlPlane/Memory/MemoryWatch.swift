internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// Has sessions give way while memory is scarce: asks the workers who holds what, decides for all of them (`MemoryEviction`), and tells
/// them. While there is room it does nothing.
final class MemoryWatch {
    /// How long it waits before it asks again, and for each session that holds something: who has 50,000 of them is asked twice a second.
    private static let interval = Duration.milliseconds(100)
    private static let intervalPerHolder = Duration.microseconds(10)
    /// How often it is looked whether memory can go back to the system.
    private static let peakInterval = Duration.seconds(2)
    /// The log has one line in so long at most.
    private static let logInterval = Duration.seconds(10)

    private let fleet: Fleet
    private let survey: Survey
    private let loop: EventLoop
    private let log: Log
    private var timer: ControlTimer?
    private var isAsking = false
    private var loggedAt: MonotonicInstant?
    private let memoryReturn: MemoryReturn
    private var peak = MemoryPeak()
    private var looking: ControlTimer?

    init(_ fleet: Fleet, _ survey: Survey, _ loop: EventLoop, _ log: Log) {
        self.fleet = fleet
        self.survey = survey
        self.loop = loop
        self.log = log
        self.memoryReturn = MemoryReturn(log)
        self.looking = ControlTimer(loop, every: Self.peakInterval) { [unowned self] in self.lookAtPeak() }
    }

    func stop() {
        self.timer?.cancel()
        self.looking?.cancel()
        self.memoryReturn.end()
    }

    // MARK: - After a peak

    private func lookAtPeak() {
        let bound = self.fleet.memory
        guard self.peak.isOver(peak: bound.takePeak(), total: bound.total) else { return }
        self.memoryReturn.begin()
    }

    // MARK: - Who gives way

    /// There is less room than before.
    func rose() {
        self.timer?.cancel()
        self.timer = nil
        self.ask()
    }

    private func ask() {
        let bound = self.fleet.memory
        bound.look()
        guard bound.level > .ample || bound.isAwaited, !self.isAsking else { return }
        self.isAsking = true
        self.survey.ask {
            $0.memoryReport
        } then: { [unowned self] answers in
            self.isAsking = false
            var report = MemoryReport()
            for part in answers { report.add(part) }
            self.decide(report)
        }
    }

    private func decide(_ report: MemoryReport) {
        let bound = self.fleet.memory
        let eviction = MemoryEviction(
            level: bound.level, total: bound.total, promised: bound.promised, limit: bound.limit)
        let victims = eviction.victims(among: report)
        if !victims.isEmpty { self.fleet.tell(.evict(Set(victims))) }
        self.write(eviction, evicted: victims.count)
        let pause = Self.interval + Self.intervalPerHolder * report.holders.count
        self.timer = ControlTimer(self.loop, once: pause) { [unowned self] in self.ask() }
    }

    private func write(_ eviction: MemoryEviction, evicted: Int) {
        let now = self.loop.now
        if let loggedAt, now < loggedAt + Self.logInterval { return }
        guard eviction.level > .ample else { return }
        self.loggedAt = now
        var record = LogRecord(.warning, "memory-scarce")
        record.add("used", eviction.total)
        record.add("limit", eviction.limit)
        record.add("evicted", evicted)
        self.log.write(record)
    }
}
