internal import ArgumentParser
internal import System
internal import TLS

/// Opens and closes sessions, some at a time, as fast as the other side accepts them.
final class Handshakes: ConnectionOwner, MeasuredWorkload {
    private let url: LoadURL
    private let client: Client
    /// One for each concurrent session if sessions are resumed: a context remembers one session, which is used once.
    private let contexts: [TLSClientContext?]
    private let resume: Bool
    private var measurement: Measurement!
    private var resumed = 0
    private(set) var underWay = 0

    var details: JSON {
        .object(["concurrency": .integer(self.contexts.count), "resumed": .integer(self.resumed)])
    }

    init(_ url: LoadURL, concurrency: Int, resume: Bool, window: WindowOptions) {
        self.url = url
        self.client = Client()
        self.resume = resume
        if url.isSecure, resume {
            let client = self.client
            self.contexts = (0..<concurrency).map { _ in client.tlsContext(resume: true) }
        } else {
            self.contexts = Array(repeating: url.isSecure ? self.client.tlsContext() : nil, count: concurrency)
        }
        self.measurement = Measurement("handshakes", window, client: self.client, workload: self)
    }

    func run() -> Never {
        self.measurement.ready()
        self.client.run()
    }

    func turnBegan() {
        for index in self.contexts.indices { self.connect(index) }
    }

    func windowStarted() { self.resumed = 0 }

    private func connect(_ index: Int) {
        do {
            // The loop keeps the connection.
            _ = try Connection(
                self.url, index: index, context: self.contexts[index], client: self.client, owner: self)
            self.underWay += 1
        } catch {
            fail("session \(index): \(error)")
        }
    }

    func opened(_ connection: Connection) {
        if self.measurement.isMeasuring {
            self.measurement.count()
            self.measurement.record(from: connection.start, to: .now())
            if connection.tls?.wasResumed == true { self.resumed += 1 }
        }
        connection.close()
    }

    func received(_ messages: Int, on connection: Connection) {}

    func closed(_ connection: Connection) {
        self.underWay -= 1
        if self.measurement.isRunning {
            self.connect(connection.index)
        } else {
            self.measurement.checkDrained()
        }
    }
}

/// `gateway-load handshakes URL`.
struct HandshakesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handshakes",
        abstract: "Open sessions and close them again, as fast as the other side takes them.",
        discussion: """
            A latency is from connect to the checked 101. Each session is closed with a Close, and the next one is begun \
            when the server has closed the connection.

            EXAMPLES
              gateway-load handshakes ws://127.0.0.1:8080/echo --concurrency 16
              gateway-load handshakes wss://127.0.0.1:8443/echo --concurrency 16 --resume
            """)

    @OptionGroup var target: TargetOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("How many at a time.", valueName: "n"))
    var concurrency: Int

    @Flag(help: "Resume TLS sessions instead of doing full TLS handshakes.")
    var resume = false

    func validate() throws {
        try requirePositive(self.concurrency, "--concurrency")
        guard self.target.url.isSecure || !self.resume else { throw ValidationError("--resume is for wss://") }
    }

    func run() {
        Handshakes(
            self.target.url, concurrency: self.concurrency, resume: self.resume, window: self.window
        ).run()
    }
}
