internal import ArgumentParser
internal import DequeModule
internal import System

/// Messages at a fixed rate, spread evenly over time and sessions: an open loop.
///
/// A latency begins when its message was due. So a message that was sent late, because the server or we were slow, counts as late. How late
/// we were ourselves is reported, too.
final class Rate: ConnectionOwner, MeasuredWorkload {
    private let size: Int
    private let client: Client
    private let sessions: Sessions
    private var storm: Storm?
    private var pace: Pace!
    private var measurement: Measurement!
    /// When the messages that each session has in flight were due, oldest first.
    private var due: [Deque<MonotonicInstant>]
    private var next = 0
    private var inFlight = 0
    private var late = Histogram()

    var underWay: Int { self.inFlight + (self.storm?.underWay ?? 0) }

    var details: JSON {
        let own = JSON.object([
            "sessions": .integer(self.due.count), "size": .integer(self.size), "client_late_us": self.late.json,
        ])
        return .merged([own] + (self.storm.map { [.object(["storm": $0.json])] } ?? []))
    }

    init(_ url: LoadURL, sessions: Int, size: Int, rate: Double, window: WindowOptions, storm: StormOptions) {
        self.size = size
        self.client = Client()
        self.sessions = Sessions(url, count: sessions, client: self.client)
        self.due = Array(repeating: Deque(), count: sessions)
        self.measurement = Measurement("rate", window, client: self.client, workload: self)
        self.storm = storm.storm.map {
            Storm($0, rate: storm.stormRate ?? 1, client: self.client) { [unowned self] in
                self.measurement.checkDrained()
            }
        }
        self.pace = Pace(rate: rate, client: self.client) { [unowned self] in self.send(due: $0) }
    }

    func run() -> Never {
        self.sessions.open(for: self) { self.message($0) }
        self.client.run()
    }

    private func message(_ index: Int) -> Message { Message(size: self.size, seed: index) }

    func opened(_ connection: Connection) {
        guard self.sessions.oneOpened(for: self, message: { self.message($0) }) else { return }
        self.measurement.ready()
    }

    func turnBegan() {
        self.late.removeAll()
        self.pace.begin()
        self.storm?.begin()
    }

    func windowStarted() { self.storm?.startCounting() }

    private func send(due: MonotonicInstant) {
        if self.measurement.includes(due) {
            self.late.record(MonotonicInstant.now().nanoseconds - due.nanoseconds)
        }
        self.due[self.next].append(due)
        self.inFlight += 1
        self.sessions.all[self.next].sendMessage()
        self.next = self.next + 1 == self.due.count ? 0 : self.next + 1
    }

    func received(_ messages: Int, on connection: Connection) {
        let now = MonotonicInstant.now()
        guard messages <= self.due[connection.index].count else {
            return connection.over("more came back than was sent")
        }
        self.measurement.count(messages)
        for _ in 0..<messages {
            self.measurement.record(from: self.due[connection.index].removeFirst(), to: now)
        }
        self.inFlight -= messages
        self.measurement.checkDrained()
    }

    /// Messages still in flight would have the longest latencies, so we wait for them.
    func windowEnded() {
        self.pace.stop(at: self.measurement.end)
        self.storm?.stop()
    }
}

/// `gateway-load rate URL`.
struct RateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate", abstract: "Send messages to an echo at a fixed rate, and see how long they take.",
        discussion: """
            A latency counts from when the message was due, not from when it was sent; how late the client itself sent it \
            is client_late_us. With --storm, new sessions are opened and closed meanwhile, each with a full TLS handshake.

            EXAMPLES
              W=ws://127.0.0.1:8080 S=wss://127.0.0.1:8443
              gateway-load rate $W/echo --sessions 1000 --size 64 --rate 5000
              gateway-load rate $W/echo --sessions 100 --size 64 --rate 2000 \\
                --storm $S/echo --storm-rate 300
            """)

    @OptionGroup var target: TargetOptions
    @OptionGroup var message: MessageOptions
    @OptionGroup var window: WindowOptions
    @OptionGroup var storm: StormOptions

    @Option(help: ArgumentHelp("How many sessions.", valueName: "n"))
    var sessions: Int

    @Option(help: ArgumentHelp("Messages per second, over all sessions.", valueName: "messages"))
    var rate: Double

    func validate() throws {
        try requirePositive(self.sessions, "--sessions")
        guard self.rate > 0 else { throw ValidationError("--rate must be positive") }
    }

    func run() {
        Rate(
            self.target.url, sessions: self.sessions, size: self.message.size, rate: self.rate, window: self.window,
            storm: self.storm
        ).run()
    }
}
