internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// Reads keys and users again when their files have changed. What is wrong changes nothing: those in force stay.
final class CredentialWatch {
    /// How often files are looked at. A change is in force after two of these at the latest.
    private static let interval = Duration.seconds(1)

    private let files: FileReader
    private let sideWork: SideWork
    private let serving: Serving
    private let reloader: Reloader
    private let keys: KeyRefresh
    private let loop: EventLoop
    private let log: Log
    private var timer: ControlTimer?
    /// The files that were refused last: they are not read again before they change.
    private var refused: [String: FileStamp?]?
    /// What was last said of files that cannot be read: they are tried again at every look.
    private var unread: String?
    /// What was last said of files that cannot be looked at.
    private var obstacle: String?

    init(
        _ files: FileReader, _ sideWork: SideWork, _ serving: Serving, _ reloader: Reloader, _ keys: KeyRefresh,
        _ loop: EventLoop, _ log: Log
    ) {
        self.files = files
        self.sideWork = sideWork
        self.serving = serving
        self.reloader = reloader
        self.keys = keys
        self.loop = loop
        self.log = log
    }

    func start() {
        self.timer = ControlTimer(self.loop, once: Self.interval) { [unowned self] in
            self.look { [unowned self] in self.start() }
        }
    }

    private func look(then: @escaping () -> Void) {
        let configuration = self.serving.configuration
        let paths = self.serving.credentials.stamps.keys.sorted()
        guard !paths.isEmpty, self.reloader.takesFiles(of: configuration) else { return then() }
        self.files.look(at: paths) { [unowned self] result in
            switch result {
            case .failure(let obstacle):
                self.note(obstacle)
                then()
            case .success(let stamps):
                self.obstacle = nil
                let isNew = stamps != self.serving.credentials.stamps && stamps != self.refused
                guard isNew, self.reloader.takesFiles(of: configuration) else { return then() }
                self.files.read(paths) { [unowned self] files in
                    self.sideWork.make {
                        Result { () throws(StartError) in try CredentialFiles(configuration.settings, files) }
                    } then: { [unowned self] result in
                        if self.reloader.takesFiles(of: configuration) { self.use(result, of: files) }
                        then()
                    }
                }
            }
        }
    }

    private func use(_ result: Result<CredentialFiles, StartError>, of files: FileSet) {
        switch result {
        case .success(let credentials):
            (self.refused, self.unread) = (nil, nil)
            self.serving.put(credentials)
            self.keys.use(self.serving.configuration.settings, credentials)
            self.keys.whenChanged()
            self.log.write(LogRecord(.info, "credentials-reloaded"))
            self.log.write(warningsOf: credentials)
        case .failure(let error):
            guard files.areAllRead else {
                self.refused = nil
                if self.unread != "\(error)" { self.log.write(.error, "credentials-refused", reason: "\(error)") }
                self.unread = "\(error)"
                return
            }
            (self.refused, self.unread) = (files.stamps, nil)
            self.log.write(.error, "credentials-refused", reason: "\(error)")
        }
    }

    /// Files cannot be looked at: a file system hangs.
    private func note(_ obstacle: FileSet.Obstacle) {
        guard self.obstacle != "\(obstacle)" else { return }
        self.obstacle = "\(obstacle)"
        self.log.write(.error, "credentials-refused", reason: "cannot look at \(obstacle)")
    }
}

extension Log {
    /// What is left out of files with keys.
    func write(warningsOf credentials: CredentialFiles) {
        for warning in credentials.warnings { self.write(.warning, "credentials-incomplete", reason: warning) }
    }
}
