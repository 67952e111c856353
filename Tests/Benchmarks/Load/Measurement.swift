internal import Glibc
internal import System

/// Is told the stages of a measurement.
protocol MeasuredWorkload: AnyObject {
    /// What it prints besides the figures that all workloads have.
    var details: JSON { get }
    /// How many messages have not come back, or sessions are not closed.
    var underWay: Int { get }
    /// A turn begins: start the work.
    func turnBegan()
    /// From now on the work counts.
    func windowStarted()
    /// The measured time is over: begin nothing more.
    func windowEnded()
}

extension MeasuredWorkload {
    func windowStarted() {}
    func windowEnded() {}
}

/// The turns of a run, one or as many as are asked for. Each is a warm-up, then a window in which messages, latencies and processor time
/// are measured. It ends when nothing is in progress any more, so that the next one begins with empty sockets.
///
/// Every change of stage is in this file.
final class Measurement {
    private enum Stage {
        case opening
        /// Idle, without a timer, until a turn is asked for.
        case waiting
        case warmup
        case measuring
        /// Waits for what is in progress.
        case draining
    }

    private let name: String
    private let options: WindowOptions
    private unowned let client: Client
    private unowned let workload: any MeasuredWorkload
    private var stage = Stage.opening
    private var requests: Input?
    private var timer: EventLoop.TimerID?

    // The figures of one turn.
    private var pids: [Int32] = []
    private var start = MonotonicInstant.never
    /// When the window ended.
    private(set) var end = MonotonicInstant.never
    private var latency = Histogram()
    private var messages = 0
    private var earlier: [ProcessorTime] = []
    private var later: [ProcessorTime] = []
    private var ownEarlier: Int64 = 0
    private var ownLater: Int64 = 0

    /// How long the rest may take after the window.
    private static let patience = Duration.seconds(10)

    init(_ name: String, _ options: WindowOptions, client: Client, workload: any MeasuredWorkload) {
        self.name = name
        self.options = options
        self.client = client
        self.workload = workload
    }

    // MARK: - For the workload

    /// Whether more is to be begun.
    var isRunning: Bool { self.stage == .warmup || self.stage == .measuring }

    var isMeasuring: Bool { self.stage == .measuring }

    /// A message came back.
    func count(_ messages: Int = 1) {
        if self.stage == .measuring { self.messages += messages }
    }

    /// Whether work that begins at `instant` counts.
    func includes(_ instant: MonotonicInstant) -> Bool { instant >= self.start && instant < self.end }

    /// Records a latency if it began within the window.
    func record(from start: MonotonicInstant, to now: MonotonicInstant) {
        if self.includes(start) { self.latency.record(now.nanoseconds - start.nanoseconds) }
    }

    // MARK: - From stage to stage

    /// All sessions are open.
    func ready() {
        self.stage = .waiting
        guard self.options.turnsOnRequest else { return self.beginTurn(self.options.pids) }
        self.client.stopWatching()
        JSON.object(["ready": .boolean(true)]).printLine()
        self.requests = Input(client: self.client) { [unowned self] in self.takeRequest() }
        self.takeRequest()
    }

    private func takeRequest() {
        guard self.stage == .waiting, let requests = self.requests else { return }
        switch requests.next() {
        case .nothingYet: return
        case .end: exit(0)
        case .line(let line):
            let pids = line.split(separator: " ").map { word in
                guard let pid = Int32(word) else { fail("\(word) in a request is no process") }
                return pid
            }
            self.client.watchProgress()
            self.beginTurn(self.options.pids + pids)
        }
    }

    private func beginTurn(_ pids: [Int32]) {
        self.stage = .warmup
        self.pids = pids
        self.start = .never
        self.end = .never
        self.latency.removeAll()
        self.messages = 0
        self.workload.turnBegan()
        self.setTimer(.now() + .seconds(self.options.warmup))
    }

    /// Processor times are read right after the time that they stand for, as in `endWindow`: reading many takes a while.
    private func startWindow() {
        self.start = .now()
        self.earlier = self.pids.map { ProcessorTime(of: $0) }
        self.ownEarlier = ProcessorTime.own()
        self.stage = .measuring
        self.workload.windowStarted()
        self.setTimer(self.start + .seconds(self.options.seconds))
    }

    private func endWindow() {
        self.end = .now()
        self.later = self.pids.map { ProcessorTime(of: $0) }
        self.ownLater = ProcessorTime.own()
        self.stage = .draining
        self.setTimer(self.end + Self.patience)
        self.workload.windowEnded()
        self.checkDrained()
    }

    /// Something in progress has ended: it may have been the last.
    func checkDrained() {
        guard self.stage == .draining, self.workload.underWay == 0 else { return }
        self.client.loop.cancelTimer(&self.timer)
        self.report.printLine()
        guard self.options.turnsOnRequest else { exit(0) }
        self.client.stopWatching()
        self.stage = .waiting
        self.takeRequest()
    }

    private func setTimer(_ deadline: MonotonicInstant) {
        self.client.loop.setTimer(&self.timer, at: deadline, self)
    }

    // MARK: - Figures

    private var report: JSON {
        let seconds = (self.end - self.start).secondsAsDouble
        // One of many short turns may have no message, because those that began in it came back later.
        guard self.messages > 0 || self.options.turnsOnRequest else { fail("no message came back within \(seconds) s") }
        let cpu = zip(self.pids, zip(self.earlier, self.later)).map { pid, times in
            times.1.report(pid: pid, since: times.0, messages: self.messages)
        }
        let figures = JSON.object([
            "workload": .string(self.name), "messages": .integer(self.messages), "seconds": .number(seconds),
            "per_second": .number(Double(self.messages) / seconds), "latency_us": self.latency.json,
            "cpu": .array(cpu), "client_cpu_seconds": .number(Double(self.ownLater - self.ownEarlier) / 1e9),
        ])
        let histogram = JSON.object(["latency_histogram_ns": self.latency.bucketsJSON])
        return .merged([figures, self.workload.details] + (self.options.turnsOnRequest ? [histogram] : []))
    }
}

extension Measurement: TimerHandler {
    func timerFired() {
        self.timer = nil
        switch self.stage {
        case .warmup: self.startWindow()
        case .measuring: self.endWindow()
        case .draining:
            fail("\(self.workload.underWay) messages or sessions were not over within \(Self.patience)")
        case .opening, .waiting: break
        }
    }
}
