internal import EventLoop
internal import Glibc

/// Whoever is told where a measurement stands.
protocol MeasuredWorkload: AnyObject {
    /// What it prints beside the figures that all have.
    var details: JSON { get }
    /// From now on it counts.
    func windowStarted()
    /// The measured time is over.
    func windowEnded()
}

extension MeasuredWorkload {
    func windowStarted() {}
}

/// The time that counts: a warm-up, then a window in which messages, latencies and processor time are taken.
final class Measurement {
    private enum Stage {
        case opening
        case warmup
        case measuring
        case over
    }

    /// When the window ended.
    private(set) var end = MonotonicInstant(nanoseconds: .max)
    private var start = MonotonicInstant(nanoseconds: .max)
    private let name: String
    private let options: WindowOptions
    private unowned let client: Client
    private unowned let workload: any MeasuredWorkload
    private var stage = Stage.opening
    private var timer: EventLoop.TimerID?
    private var latency = Histogram()
    private var messages = 0
    private var earlier: [ProcessorTime] = []
    private var later: [ProcessorTime] = []
    private var ownEarlier: Int64 = 0
    private var ownLater: Int64 = 0

    init(_ name: String, _ options: WindowOptions, client: Client, workload: any MeasuredWorkload) {
        self.name = name
        self.options = options
        self.client = client
        self.workload = workload
    }

    var isMeasuring: Bool { self.stage == .measuring }

    /// The warm-up begins.
    func begin() {
        self.stage = .warmup
        self.client.loop.setTimer(&self.timer, at: .now() + .seconds(self.options.warmup), self)
    }

    /// A message came back.
    func count(_ messages: Int = 1) {
        if self.stage == .measuring { self.messages += messages }
    }

    /// Whether what begins then counts.
    func includes(_ instant: MonotonicInstant) -> Bool { instant >= self.start && instant < self.end }

    /// One latency, if it began within the window.
    func record(from start: MonotonicInstant, to now: MonotonicInstant) {
        if self.includes(start) { self.latency.record(now.nanoseconds - start.nanoseconds) }
    }

    /// Prints the figures and ends the process.
    func report() -> Never {
        let seconds = (self.end - self.start).secondsAsDouble
        guard self.messages > 0 else { fail("no message came back within \(seconds) s") }
        let cpu = zip(self.options.pids, zip(self.earlier, self.later)).map { pid, times in
            times.1.report(pid: pid, since: times.0, messages: self.messages)
        }
        let figures = JSON.object([
            "workload": .string(self.name), "messages": .integer(self.messages), "seconds": .number(seconds),
            "per_second": .number(Double(self.messages) / seconds), "latency_us": self.latency.json,
            "cpu": .array(cpu), "client_cpu_seconds": .number(Double(self.ownLater - self.ownEarlier) / 1e9),
        ])
        print(JSON.merged([figures, self.workload.details]))
        exit(0)
    }
}

extension Measurement: TimerHandler {
    func timerFired() {
        switch self.stage {
        case .warmup:
            self.earlier = self.options.pids.map { ProcessorTime(of: $0) }
            self.ownEarlier = ProcessorTime.own()
            self.start = .now()
            self.stage = .measuring
            self.workload.windowStarted()
            self.timer = nil
            self.client.loop.setTimer(&self.timer, at: self.start + .seconds(self.options.seconds), self)
        case .measuring:
            self.end = .now()
            self.ownLater = ProcessorTime.own()
            self.later = self.options.pids.map { ProcessorTime(of: $0) }
            self.stage = .over
            self.workload.windowEnded()
        case .opening, .over: break
        }
    }
}
