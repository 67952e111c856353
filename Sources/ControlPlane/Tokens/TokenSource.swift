internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// The files of one backend's tokens: reads them when they have changed, and says what is wrong with them.
///
/// They are compared from time to time instead of watched, as certificates are, and for the same reasons (`Serving.WatchedFiles`).
final class TokenSource {
    /// How often files are looked at. With the longest look-up of a name this is well below the 2 s in which a change counts.
    private static let interval = Duration.milliseconds(500)
    /// At most this many files and lines that are skipped are logged of each change.
    private static let mostFlaws = 10

    let targets: TokenTargets
    private let backend: String
    private let files: FileReader
    private let loop: EventLoop
    private let log: Log
    /// Looks the names of endpoints up before they are used.
    private let resolve: ([Endpoint], @escaping () -> Void) -> Void
    /// Tokens were put in force.
    private let changed: (TokenReading) -> Void
    private var timer: ControlTimer?
    private var isWatching = false
    /// How the files were when they were read.
    private var known: FolderContents.Stamps?
    /// The files changed only just before they were read: what is written in the same moment need not change their stamps again.
    private var readsAgain = false
    private var digest: [UInt8] = []
    private var flaws: Set<TokenLines.Flaw> = []

    init(
        _ targets: TokenTargets, of backend: String, _ files: FileReader, _ loop: EventLoop, _ log: Log,
        resolve: @escaping ([Endpoint], @escaping () -> Void) -> Void, changed: @escaping (TokenReading) -> Void
    ) {
        self.targets = targets
        self.backend = backend
        self.files = files
        self.loop = loop
        self.log = log
        self.resolve = resolve
        self.changed = changed
    }

    // MARK: - Watching

    /// Looks at the files again and again, until `stop`.
    func watch() {
        guard !self.isWatching else { return }
        self.isWatching = true
        self.wait()
    }

    func stop() {
        self.isWatching = false
        self.timer?.cancel()
        self.timer = nil
    }

    private func wait() {
        guard self.isWatching else { return }
        self.timer = ControlTimer(self.loop, once: Self.interval) { [unowned self] in
            self.timer = nil
            self.look { self.wait() }
        }
    }

    // MARK: - Reading

    /// Reads the files if they have changed. Live sessions keep what they have.
    ///
    /// - Parameter then: called when the change is in force, or there is none.
    func look(then: @escaping () -> Void) {
        let previous = self.targets.current
        // It stays until its reading is over, although it may be forgotten meanwhile.
        self.files.read(contentsOf: self.targets.path, unless: self.readsAgain ? nil : self.known) { contents in
            TokenReading(contents, replacing: previous)
        } then: { result in
            switch result {
            case .success(let reading?): self.use(reading, then: then)
            case .success(nil): then()
            case .failure(let error):
                self.cannotRead(error)
                then()
            }
        }
    }

    private func use(_ reading: TokenReading, then: @escaping () -> Void) {
        // The tokens in force stay, and the next look reads the files again.
        guard !reading.isShort else {
            self.logFlaws(reading.flaws)
            return then()
        }
        self.readsAgain = reading.stamps != self.known
        self.known = reading.stamps
        self.logFlaws(reading.flaws)
        guard reading.digest != self.digest else { return then() }
        self.digest = reading.digest
        // A configuration that is not in force yet has its names looked up as a whole.
        guard self.isWatching else {
            self.put(reading)
            return then()
        }
        self.resolve(reading.added) {
            self.put(reading)
            self.changed(reading)
            then()
        }
    }

    private func put(_ reading: TokenReading) {
        self.targets.use(reading.table)
        var record = LogRecord(.info, "tokens-read")
        record.add("backend", self.backend)
        record.add("tokens", reading.table.count)
        record.add("endpoints", reading.table.endpoints.count)
        self.log.write(record)
    }

    // MARK: - Log

    /// Logs what was not skipped already when the files were read before.
    private func logFlaws(_ flaws: [TokenLines.Flaw]) {
        let news = flaws.filter { !self.flaws.contains($0) }
        self.flaws = Set(flaws)
        for flaw in news.prefix(Self.mostFlaws) { self.skipped("\(flaw)") }
        if news.count > Self.mostFlaws { self.skipped("and \(news.count - Self.mostFlaws) more files and lines") }
    }

    private func skipped(_ reason: String) {
        var record = LogRecord(.warning, "tokens-skipped")
        record.add("backend", self.backend)
        record.add("reason", reason)
        self.log.write(record)
    }

    private func cannotRead(_ error: FileError) {
        switch error {
        // It was logged when it began to hang, or the next look comes soon.
        case .stuck, .crowded: return
        default: break
        }
        var record = LogRecord(.error, "tokens-unread")
        record.add("backend", self.backend)
        record.add("reason", "cannot look at \(self.targets.path): \(error)")
        self.log.write(record)
    }
}
