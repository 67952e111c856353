internal import ArgumentParser
internal import System

/// One session sends to a room, and all members receive, the sender included. The next message is sent when all have got an earlier one.
final class Broadcast: ConnectionOwner, MeasuredWorkload {
    private let client: Client
    private let sessions: Sessions
    private let receivers: Int
    private let message: Message
    private var measurement: Measurement!
    /// For each message in flight, by its number modulo their maximum: when it was sent, and how many sessions have it. A session gets
    /// messages in order, so an earlier one is never behind a later one.
    private var sent: [MonotonicInstant]
    private var arrived: [Int]
    /// How many messages each session has got.
    private var got: [Int]
    private var begun = 0
    private var complete = 0

    /// The session that sends.
    private static let sender = 0

    var underWay: Int { self.begun - self.complete }

    var details: JSON {
        .object(["receivers": .integer(self.receivers), "size": .integer(self.message.payload.count)])
    }

    init(_ url: LoadURL, receivers: Int, size: Int, inFlight: Int, window: WindowOptions) {
        self.receivers = receivers
        self.client = Client()
        self.sessions = Sessions(url, count: receivers + 1, client: self.client)
        self.message = Message(size: size, seed: 0, inFlight: inFlight)
        self.sent = Array(repeating: MonotonicInstant(nanoseconds: 0), count: inFlight)
        self.arrived = Array(repeating: 0, count: inFlight)
        self.got = Array(repeating: 0, count: receivers + 1)
        self.measurement = Measurement("broadcast", window, client: self.client, workload: self)
    }

    func run() -> Never {
        let message = self.message
        self.sessions.open(for: self) { _ in message }
        self.client.run()
    }

    func opened(_ connection: Connection) {
        let message = self.message
        guard self.sessions.oneOpened(for: self, message: { _ in message }) else { return }
        self.measurement.ready()
    }

    func turnBegan() { self.send(self.sent.count, at: .now()) }

    func received(_ messages: Int, on connection: Connection) {
        let now = MonotonicInstant.now()
        guard self.got[connection.index] + messages <= self.begun else {
            return connection.over("more came than was sent")
        }
        self.measurement.count(messages)
        var complete = 0
        for _ in 0..<messages {
            let place = self.got[connection.index] % self.sent.count
            self.got[connection.index] += 1
            self.measurement.record(from: self.sent[place], to: now)
            self.arrived[place] += 1
            if self.arrived[place] == self.receivers + 1 {
                self.arrived[place] = 0
                complete += 1
            }
        }
        guard complete > 0 else { return }
        self.complete += complete
        if self.measurement.isRunning {
            self.send(complete, at: now)
        } else {
            self.measurement.checkDrained()
        }
    }

    private func send(_ count: Int, at now: MonotonicInstant) {
        for _ in 0..<count {
            self.sent[self.begun % self.sent.count] = now
            self.begun += 1
        }
        self.sessions.all[Self.sender].sendMessage(times: count)
    }
}

/// `gateway-load broadcast URL`.
struct BroadcastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broadcast", abstract: "Send to a room, and wait until all members have the message.",
        discussion: """
            Messages are counted as often as they are delivered; a latency is that of one delivery.

            EXAMPLES
              W=ws://127.0.0.1:8080
              gateway-load broadcast $W/broadcast/load --receivers 500 --size 64
            """)

    @OptionGroup var target: TargetOptions
    @OptionGroup var message: MessageOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("How many sessions receive, beside the one that sends.", valueName: "n"))
    var receivers: Int

    @Option(help: ArgumentHelp("Messages that are under way at a time.", valueName: "k"))
    var inFlight = 1

    func validate() throws {
        try requirePositive(self.receivers, "--receivers")
        try requirePositive(self.inFlight, "--in-flight")
    }

    func run() {
        Broadcast(
            self.target.url, receivers: self.receivers, size: self.message.size, inFlight: self.inFlight,
            window: self.window
        ).run()
    }
}
