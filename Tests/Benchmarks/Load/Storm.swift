internal import ArgumentParser
internal import System
internal import TLS

/// New sessions at a fixed rate, each with a full TLS handshake and closed once open: what sessions that stay see of a crowd that
/// reconnects.
///
/// It shares our thread: a TLS handshake costs some hundred microseconds, and echoes that come meanwhile are seen that much later.
final class Storm: ConnectionOwner {
    private let url: LoadURL
    private let client: Client
    private let context: TLSClientContext?
    private let oneIsOver: () -> Void
    private var pace: Pace!
    private var begun = 0
    /// How many sessions are not closed yet.
    private(set) var underWay = 0
    /// Only sessions that began after this count.
    private var start = MonotonicInstant(nanoseconds: .max)
    private var opened = 0
    private var failed = 0
    private var latency = Histogram()
    private var seconds = 0.0

    /// A server with this many open handshakes has failed the test; more would only use up our descriptors.
    private static let mostUnderWay = 2000

    /// - Parameter oneIsOver: called when a session has closed or failed.
    init(_ url: LoadURL, rate: Double, client: Client, oneIsOver: @escaping () -> Void) {
        self.url = url
        self.client = client
        self.oneIsOver = oneIsOver
        self.context = url.isSecure ? client.tlsContext() : nil
        self.pace = Pace(rate: rate, client: client) { [unowned self] in self.begin(due: $0) }
    }

    func begin() { self.pace.begin() }

    func startCounting() {
        self.opened = 0
        self.failed = 0
        self.latency.removeAll()
        self.start = .now()
    }

    /// Begins no more sessions; those in progress go on.
    func stop() {
        let now = MonotonicInstant.now()
        self.pace.stop(at: now)
        self.seconds = (now - self.start).secondsAsDouble
        self.start = MonotonicInstant(nanoseconds: .max)
    }

    var json: JSON {
        .object([
            "handshakes": .integer(self.opened), "per_second": .number(Double(self.opened) / self.seconds),
            "failed": .integer(self.failed), "latency_us": self.latency.json,
        ])
    }

    private func begin(due: MonotonicInstant) {
        guard self.underWay < Self.mostUnderWay,
            (try? Connection(
                self.url, index: self.begun, context: self.context, start: due, client: self.client, owner: self))
                != nil
        else { return self.countFailure() }
        self.begun += 1
        self.underWay += 1
    }

    private func countFailure() {
        if MonotonicInstant.now() >= self.start { self.failed += 1 }
    }

    func opened(_ connection: Connection) {
        let now = MonotonicInstant.now()
        if now >= self.start {
            self.opened += 1
            self.latency.record(now.nanoseconds - connection.start.nanoseconds)
        }
        connection.close()
    }

    func received(_ messages: Int, on connection: Connection) {}

    func closed(_ connection: Connection) {
        self.underWay -= 1
        self.oneIsOver()
    }

    func failed(_ connection: Connection, _ reason: String) {
        self.underWay -= 1
        self.countFailure()
        self.oneIsOver()
    }
}

/// `--storm` and `--storm-rate`.
struct StormOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where new sessions are opened and closed meanwhile.", valueName: "url"))
    var storm: LoadURL?

    @Option(help: ArgumentHelp("How many of them per second.", valueName: "handshakes"))
    var stormRate: Double?

    func validate() throws {
        guard (self.storm == nil) == (self.stormRate == nil) else {
            throw ValidationError("--storm and --storm-rate belong together")
        }
        guard self.stormRate ?? 1 > 0 else { throw ValidationError("--storm-rate must be positive") }
    }
}
