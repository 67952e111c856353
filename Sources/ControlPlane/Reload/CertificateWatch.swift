internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// Applies certificates and keys again when their files have changed. Live sessions keep what they have.
final class CertificateWatch {
    /// How often files are looked at.
    private static let interval = Duration.seconds(5)

    private let files: FileReader
    private let candidates: Candidates
    private let serving: Serving
    private let reloader: Reloader
    private let loop: EventLoop
    private let log: Log
    private var timer: ControlTimer?
    /// The last error with changed certificates that was logged.
    private var refusal: String?

    init(
        _ files: FileReader, _ candidates: Candidates, _ serving: Serving, _ reloader: Reloader, _ loop: EventLoop,
        _ log: Log
    ) {
        self.files = files
        self.candidates = candidates
        self.serving = serving
        self.reloader = reloader
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
        guard self.reloader.takesFiles(of: configuration) else { return then() }
        self.files.look(at: self.serving.watched.paths) { [unowned self] result in
            switch result {
            case .failure(let obstacle):
                // A check that hangs was logged when it began to hang.
                if obstacle.error != .stuck {
                    self.log.write(.error, "certificates-refused", reason: "cannot look at \(obstacle)")
                }
                then()
            case .success(let stamps):
                guard self.reloader.takesFiles(of: configuration), self.serving.watched.differ(from: stamps) else {
                    return then()
                }
                self.candidates.renew { [unowned self] in
                    self.use($0, for: configuration)
                    then()
                }
            }
        }
    }

    private func use(_ result: Result<Serving.Candidate, StartError>, for configuration: ActiveConfiguration) {
        switch result {
        case .success(let candidate):
            guard self.reloader.takesFiles(of: configuration) else { return candidate.listeners.close() }
            let before = self.serving.certificates
            self.reloader.put(candidate) { _ in }
            self.refusal = nil
            self.logReload(of: self.serving.certificates, after: before)
        case .failure(let error):
            guard self.reloader.takesFiles(of: configuration) else { return }
            // A chain and its key are two files, and only one of them may be replaced yet. The next check tries again; the same error is
            // logged once.
            guard "\(error)" != self.refusal else { return }
            self.refusal = "\(error)"
            self.log.write(.error, "certificates-refused", reason: "\(error)")
        }
    }
    /// A line for each certificate that clients are shown now and were not before. Files may also be for backends: then one line without a name.
    private func logReload(of certificates: [CertificateRow], after before: [CertificateRow]) {
        var new: [CertificateRow] = []
        for row in certificates where !before.contains(where: { row.isSameCertificate(as: $0) }) {
            if !new.contains(where: { row.isSameCertificate(as: $0) }) { new.append(row) }
        }
        guard !new.isEmpty else { return self.log.write(LogRecord(.info, "certificates-reloaded")) }
        for row in new {
            var record = LogRecord(.info, "certificates-reloaded")
            record.add("names", row.names.joined(separator: " "))
            record.add("not_after", WallClock.rfc3339(seconds: row.notAfter))
            self.log.write(record)
        }
    }
}

extension CertificateRow {
    /// Whether this and another listener show one certificate, as far as the log tells certificates apart.
    fileprivate func isSameCertificate(as other: CertificateRow) -> Bool {
        self.names == other.names && self.notAfter == other.notAfter
    }
}
