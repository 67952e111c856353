internal import ArgumentParser
internal import Glibc
internal import System
internal import TLS

/// Opens sessions and leaves them alone, apart from answering pings.
final class Idle: ConnectionOwner {
    private let client: Client
    private let sessions: Sessions
    private let start = MonotonicInstant.now()
    private var input: Input?

    init(_ url: LoadURL, sessions: Int) {
        self.client = Client()
        self.sessions = Sessions(url, count: sessions, client: self.client)
    }

    func run() -> Never {
        self.sessions.open(for: self) { _ in nil }
        self.client.run()
    }

    func opened(_ connection: Connection) {
        guard self.sessions.oneOpened(for: self, message: { _ in nil }) else { return }
        self.client.stopWatching()
        // libssl's buffers take some 34 KiB. Our memory is not measured, but thousands of sessions have to fit.
        for connection in self.sessions.all { connection.tls?.releaseBuffers() }
        JSON.object([
            "event": .string("open"), "sessions": .integer(self.sessions.all.count),
            "seconds": .number((MonotonicInstant.now() - self.start).secondsAsDouble),
        ]).printLine()
        self.input = Input(client: self.client) { [unowned self] in self.checkInput() }
        self.checkInput()
    }

    func received(_ messages: Int, on connection: Connection) {}

    private func checkInput() {
        while let input = self.input {
            switch input.next() {
            case .line: continue
            case .nothingYet: return
            // The process closes all sockets at once.
            case .end: exit(0)
            }
        }
    }
}

/// `gateway-load idle URL`.
struct IdleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle", abstract: "Open sessions and keep them until the end of standard input.",
        discussion: """
            Prints one line when all are open. At the end of standard input the process exits, and all sockets \
            go away at once.

            EXAMPLES
              sleep 60 | gateway-load idle wss://127.0.0.1:8443/echo --sessions 9000
            """)

    @OptionGroup var target: TargetOptions

    @Option(help: ArgumentHelp("How many sessions.", valueName: "n"))
    var sessions: Int

    func validate() throws { try requirePositive(self.sessions, "--sessions") }

    func run() { Idle(self.target.url, sessions: self.sessions).run() }
}
