internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// Closes sessions while memory is scarce: asks the workers how much each session holds, chooses among all of them (`MemoryEviction`),
/// and tells the workers. While there is room it does nothing.
final class MemoryWatch {
    /// The pause between two questions, and what each session that holds memory adds to it: with 50,000 of them it asks about twice a
    /// second.
    private static let interval = Duration.milliseconds(100)
    private static let intervalPerHolder = Duration.microseconds(10)
    /// How often to check whether memory can be returned to the system.
    private static let peakInterval = Duration.seconds(2)
    /// What a session holds at most while nothing is queued, in bytes: its objects, and what compression or TLS needs.
    private static let perSession = 16 << 10
    /// The shortest time between two lines in the log.
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
        let ofSessions = self.fleet.sessions * Self.perSession
        guard self.peak.isOver(peak: bound.takePeak(), total: bound.total + ofSessions) else { return }
        self.memoryReturn.begin()
    }

    // MARK: - Which sessions give way

    /// The level of used memory rose.
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
