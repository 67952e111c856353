internal import ArgumentParser
internal import DequeModule
internal import System

/// Each session keeps some messages in flight: a closed loop, as fast as the other side answers.
final class PingPong: ConnectionOwner, MeasuredWorkload {
    private let size: Int
    private let inFlight: Int
    private let client: Client
    private let sessions: Sessions
    private var measurement: Measurement!
    /// When the messages that each session has in flight were sent, oldest first.
    private var sent: [Deque<MonotonicInstant>]
    private(set) var underWay = 0

    var details: JSON { .object(["sessions": .integer(self.sent.count), "size": .integer(self.size)]) }

    init(_ url: LoadURL, sessions: Int, size: Int, inFlight: Int, window: WindowOptions) {
        self.size = size
        self.inFlight = inFlight
        self.client = Client()
        self.sessions = Sessions(url, count: sessions, client: self.client)
        self.sent = Array(repeating: Deque(minimumCapacity: inFlight), count: sessions)
        self.measurement = Measurement("pingpong", window, client: self.client, workload: self)
    }

    func run() -> Never {
        self.sessions.open(for: self) { self.message($0) }
        self.client.run()
    }

    private func message(_ index: Int) -> Message { Message(size: self.size, seed: index, inFlight: self.inFlight) }

    func opened(_ connection: Connection) {
        guard self.sessions.oneOpened(for: self, message: { self.message($0) }) else { return }
        self.measurement.ready()
    }

    func turnBegan() {
        for connection in self.sessions.all { self.send(self.inFlight, on: connection, at: .now()) }
    }

    func received(_ messages: Int, on connection: Connection) {
        let now = MonotonicInstant.now()
        guard messages <= self.sent[connection.index].count else {
            return connection.over("more came back than was sent")
        }
        self.measurement.count(messages)
        for _ in 0..<messages {
            self.measurement.record(from: self.sent[connection.index].removeFirst(), to: now)
        }
        self.underWay -= messages
        if self.measurement.isRunning {
            self.send(messages, on: connection, at: now)
        } else {
            self.measurement.checkDrained()
        }
    }

    private func send(_ count: Int, on connection: Connection, at now: MonotonicInstant) {
        for _ in 0..<count { self.sent[connection.index].append(now) }
        self.underWay += count
        connection.sendMessage(times: count)
    }
}

/// `gateway-load pingpong URL`.
struct PingPongCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pingpong", abstract: "Keep messages in flight to an echo, as fast as it answers.",
        discussion: """
            EXAMPLES
              W=ws://127.0.0.1:8080 S=wss://127.0.0.1:8443
              gateway-load pingpong $W/echo --sessions 100 --size 64 --pid 4711
              gateway-load pingpong $S/echo --sessions 4 --size 65536 --in-flight 4
            """)

    @OptionGroup var target: TargetOptions
    @OptionGroup var message: MessageOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("How many sessions.", valueName: "n"))
    var sessions: Int

    @Option(help: ArgumentHelp("Messages that each session has in flight.", valueName: "k"))
    var inFlight = 1

    func validate() throws {
        try requirePositive(self.sessions, "--sessions")
        try requirePositive(self.inFlight, "--in-flight")
    }

    func run() {
        PingPong(
            self.target.url, sessions: self.sessions, size: self.message.size, inFlight: self.inFlight,
            window: self.window
        ).run()
    }
}
