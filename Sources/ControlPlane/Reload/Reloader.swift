internal import Configuration
internal import DataPlane
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import Takeover

/// Puts another configuration in force while sessions go on. Nothing changes until all of it was tried: it is accepted or refused as a
/// whole. Then every worker uses it and says which of its sessions it condemns; those are drained.
final class Reloader {
    /// One reload at a time.
    private enum State {
        case idle
        /// - Parameter waiting: the reloads that came meanwhile.
        case reloading(waiting: [() -> Void])
    }

    /// What has to know of another configuration.
    struct Followers {
        let fleet: Fleet
        let names: NameRefresh
        let tokens: TokenWatch
        let keys: KeyRefresh
        let health: HealthChecks
        let rebalancer: Rebalancer
        let memory: MemoryWatch
        let cluster: ClusterThread
        let drainer: Drainer
        let supervisor: Supervisor
    }

    /// At most this many reloads wait; more are refused.
    private static let mostWaiting = 16

    private let source: ConfigurationSource?
    private let candidates: Candidates
    private let serving: Serving
    private let survey: Survey
    private let followers: Followers
    private let log: Log
    private var state = State.idle
    /// What became of the last reload that was to be applied; `nil`: there was none.
    private(set) var last: LastReload?
    /// The number of reloads, by result.
    private(set) var counted = MetricsSnapshot.Control()

    /// - Parameter source: `nil` if there is no file (`gateway bridge`).
    init(
        _ source: ConfigurationSource?, _ candidates: Candidates, _ serving: Serving, _ survey: Survey,
        _ followers: Followers, _ log: Log
    ) {
        self.source = source
        self.candidates = candidates
        self.serving = serving
        self.survey = survey
        self.followers = followers
        self.log = log
    }

    private var isReloading: Bool { if case .reloading = self.state { true } else { false } }

    /// Whether files for this configuration, read again because they have changed, are still of use. A reload reads them, too.
    func takesFiles(of configuration: ActiveConfiguration) -> Bool {
        self.followers.drainer.isServing && !self.isReloading && self.serving.configuration === configuration
    }

    private static let draining = ReloadOutcome.refused(["the gateway is draining"])

    /// Applies the configuration file as it is now.
    ///
    /// - Parameter dryRun: only say what would happen; change nothing.
    func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        guard self.followers.drainer.isServing else { return answer(Self.draining) }
        if case .reloading(let waiting) = self.state {
            guard waiting.count < Self.mostWaiting else {
                return answer(.refused(["\(Self.mostWaiting) reloads are waiting already"]))
            }
            self.state = .reloading(
                waiting: waiting + [{ [unowned self] in self.reload(dryRun: dryRun, answer: answer) }])
            return
        }
        self.state = .reloading(waiting: [])
        if !dryRun { self.followers.supervisor.reloading() }
        self.readAndUse(dryRun: dryRun) { [unowned self] outcome in
            self.hasReloaded(outcome, dryRun: dryRun, answer)
        }
    }

    private func hasReloaded(_ outcome: ReloadOutcome, dryRun: Bool, _ answer: (ReloadOutcome) -> Void) {
        if !dryRun {
            if self.followers.drainer.isServing { self.followers.supervisor.ready(self.serving.status) }
            self.last = LastReload(outcome, at: WallClock.rfc3339())
            switch outcome {
            case .applied: self.counted.appliedReloads += 1
            case .refused: self.counted.refusedReloads += 1
            }
        }
        guard case .reloading(var waiting) = self.state else { return }
        self.state = .idle
        answer(outcome)
        // The first one starts, and the others wait behind it. If it is refused at once, the next one starts.
        while !waiting.isEmpty { waiting.removeFirst()() }
    }

    private func readAndUse(dryRun: Bool, then: @escaping (ReloadOutcome) -> Void) {
        guard let source = self.source else {
            return self.refuse(["there is no configuration file to read again"], dryRun: dryRun, then)
        }
        self.candidates.read(source) { [unowned self] result in
            switch result {
            case .success(let candidate): self.use(candidate, dryRun: dryRun, then)
            case .failure(let mistakes): self.refuse(mistakes.lines, dryRun: dryRun, then)
            }
        }
    }

    private func refuse(_ mistakes: [String], dryRun: Bool, _ then: (ReloadOutcome) -> Void) {
        if !dryRun {
            for mistake in mistakes {
                var record = LogRecord(.error, "reload-refused")
                record.add("result", "refused")
                record.add("reason", mistake)
                self.log.write(record)
            }
        }
        then(.refused(mistakes))
    }

    private func use(_ candidate: Serving.Candidate, dryRun: Bool, _ then: @escaping (ReloadOutcome) -> Void) {
        let configuration = candidate.configuration
        let awaitingStart = candidate.source?.awaitingStart ?? []
        func outcome(_ fates: [SessionFates], files: ReloadOutcome.Files? = nil) -> ReloadOutcome {
            let all = fates.reduce(SessionFates(), +)
            return .applied(closing: all.reasons, kept: all.kept, awaitingStart: awaitingStart, files: files)
        }
        guard !dryRun else {
            candidate.listeners.close()
            let files = candidate.source.map { ReloadOutcome.Files(old: self.serving.source.bytes, new: $0.bytes) }
            return self.survey.ask {
                $0.fates(under: configuration)
            } then: {
                then(outcome($0, files: files))
            }
        }
        self.prepare(candidate) { [unowned self] in
            // Workers that were told to stop accepting would accept from new listeners.
            guard self.followers.drainer.isServing else {
                candidate.listeners.close()
                return then(Self.draining)
            }
            self.apply(candidate) { [unowned self] fates in
                self.followers.drainer.close(condemned: fates.map(\.condemned))
                self.logReload(fates.reduce(SessionFates(), +), awaitingStart: awaitingStart)
                then(outcome(fates))
            }
        }
    }

    /// Reads new tokens, looks up the names of new endpoints, and fetches the keys of new URLs, before requests need them.
    private func prepare(_ candidate: Serving.Candidate, then: @escaping () -> Void) {
        let (configuration, files) = (candidate.configuration, candidate.credentials ?? self.serving.credentials)
        self.followers.tokens.read(configuration) { [unowned self] in
            self.followers.names.resolve(configuration) { [unowned self] in
                self.followers.keys.prepare(configuration.settings, files, then: then)
            }
        }
    }

    private func apply(_ candidate: Serving.Candidate, then: @escaping ([SessionFates]) -> Void) {
        let old = self.serving.configuration
        self.put(candidate, then: then)
        let new = self.serving.configuration
        self.followers.fleet.memory.setLimit(new.settings.memory?.rawValue ?? MemoryBound.automatic)
        self.followers.memory.rose()
        self.followers.names.use(new)
        self.followers.tokens.use(new)
        self.followers.keys.use(new.settings, self.serving.credentials)
        self.followers.rebalancer.take(new, insteadOf: old)
        for listener in candidate.listeners.removed {
            self.serving.removeFile(of: listener)
            var record = LogRecord(.info, "listener-closed")
            record.add("address", listener.address.description)
            self.log.write(record)
        }
        for listener in candidate.listeners.opened { self.log.write(listener.record) }
        self.log.write(warningsOf: self.serving.credentials)
    }

    /// Puts a candidate in force, here and in the workers.
    ///
    /// - Parameter then: gets the fates of each worker's sessions.
    func put(_ candidate: Serving.Candidate, then: @escaping ([SessionFates]) -> Void) {
        for failure in self.serving.put(candidate) { self.log.write(.error, "update-failed", reason: "\(failure)") }
        do throws(TLSError) {
            try self.followers.health.take(candidate.configuration)
        } catch {
            // Not expected: `Candidates` has just made a context of these settings.
            self.log.write(.error, "update-failed", reason: "\(error)")
        }
        do {
            try self.followers.cluster.use(candidate.configuration)
        } catch {
            // Not expected, but for a shortage of threads: the files were tried.
            self.log.write(.error, "update-failed", reason: "\(error)")
        }
        let (configuration, listeners) = (candidate.configuration, candidate.listeners.listeners)
        let credentials = candidate.credentials.map { self.followers.keys.completed($0.contents) }
        self.survey.ask {
            $0.use(configuration, listeners, credentials)
        } then: {
            then($0)
        }
    }

    private func logReload(_ fates: SessionFates, awaitingStart: [String]) {
        let configuration = self.serving.configuration
        var record = LogRecord(.info, "reloaded")
        record.add("result", "applied")
        record.add("routes", configuration.routes.count)
        record.add("backends", configuration.backends.count)
        record.add("listeners", self.serving.listeners.listeners.count)
        record.add("closing", fates.condemned.count)
        record.add("kept", fates.kept)
        self.log.write(record)
        for (reason, sessions) in fates.reasons.sorted(by: { $0.key < $1.key }) {
            var record = LogRecord(.info, "reload-closes")
            record.add("sessions", sessions)
            record.add("reason", reason)
            self.log.write(record)
        }
        guard !awaitingStart.isEmpty else { return }
        self.log.write(
            .warning, "reload-incomplete",
            reason: "changes of \(awaitingStart.joined(separator: ", ")) take effect when the gateway starts anew")
    }
}
