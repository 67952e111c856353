internal import Configuration
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import Takeover

/// Another configuration while sessions go on. It is checked whole, and refused whole: nothing has changed until all of it can be
/// used. Then every worker swaps its snapshot, and the sessions that have no place in the new one are drained.
extension Gateway {
    /// A configuration that can be used.
    private struct Candidate {
        let configuration: ActiveConfiguration
        let listeners: ListenerSet.Change
        let watched: WatchedFiles
    }

    /// Whoever asks for another reload while so many wait gets what these will do.
    private static let mostWaitingReloads = 16

    /// Applies the configuration file as it is now.
    ///
    /// - Parameter dryRun: only say what it would do.
    package func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        guard self.state == .serving else { return answer(.refused(["the gateway is draining"])) }
        guard !self.isReloading else {
            guard self.waitingReloads.count < Self.mostWaitingReloads else {
                return answer(.refused(["\(Self.mostWaitingReloads) reloads are waiting already"]))
            }
            return self.waitingReloads.append { [unowned self] in self.reload(dryRun: dryRun, answer: answer) }
        }
        self.isReloading = true
        if !dryRun { self.supervisor.reloading() }
        self.reloadNow(dryRun: dryRun) { [unowned self] outcome in
            self.isReloading = false
            if !dryRun, self.state == .serving { self.supervisor.ready(self.status) }
            switch outcome {
            case _ where dryRun: break
            case .applied: self.counted.appliedReloads += 1
            case .refused: self.counted.refusedReloads += 1
            }
            answer(outcome)
            self.goOnReloading()
        }
    }

    /// The next of those that wait; where no more are done, each is told so.
    private func goOnReloading() {
        while !self.waitingReloads.isEmpty, !self.isReloading { self.waitingReloads.removeFirst()() }
    }

    private func reloadNow(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        self.readCandidate { [unowned self] result in
            switch result {
            case .success(let candidate): self.use(candidate, dryRun: dryRun, answer: answer)
            case .failure(let refusal):
                if !dryRun {
                    for problem in refusal.problems { self.log.write(.error, "reload-refused", reason: problem) }
                }
                answer(.refused(refusal.problems))
            }
        }
    }

    private func use(_ candidate: Candidate, dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        let awaitingStart = self.awaitingStart(in: candidate.configuration.settings)
        guard !dryRun else {
            candidate.listeners.abandon()
            return self.askFates(under: candidate.configuration) { closing, kept in
                answer(.applied(closing: closing, kept: kept, awaitingStart: awaitingStart))
            }
        }
        // Endpoints that are new have addresses before sessions are led to them, and whoever reloads wants to know of others that moved.
        self.names.resolve(candidate.configuration) { [unowned self] in
            guard self.state == .serving else {
                candidate.listeners.abandon()
                return answer(.refused(["the gateway is draining"]))
            }
            self.askFates(under: candidate.configuration) { closing, kept in
                // Workers that were told to accept no more would accept from listeners that come after.
                guard self.state == .serving else {
                    candidate.listeners.abandon()
                    return answer(.refused(["the gateway is draining"]))
                }
                self.apply(candidate, closing: closing, kept: kept)
                self.logReload(closing: closing, kept: kept, awaitingStart: awaitingStart)
                answer(.applied(closing: closing, kept: kept, awaitingStart: awaitingStart))
            }
        }
    }

    private struct ReloadRefusal: Error {
        let problems: [String]
    }

    /// Reads the file, makes of it beside the loop what can be, then reads what it names: each time files have `FileReader.limit`, and the
    /// loop goes on meanwhile.
    private func readCandidate(then: @escaping (Result<Candidate, ReloadRefusal>) -> Void) {
        guard let source = self.source else {
            return then(.failure(ReloadRefusal(problems: ["there is no configuration file to read again"])))
        }
        if let refusal = source.refusal { return then(.failure(ReloadRefusal(problems: [refusal]))) }
        self.files.read([source.path]) { [unowned self] files in
            let refuse = { (errors: ConfigurationErrors) in
                then(.failure(ReloadRefusal(problems: errors.diagnostics.map(\.description))))
            }
            let bytes: [UInt8]
            do throws(ConfigurationErrors) { bytes = try source.bytes(in: files) } catch { return refuse(error) }
            self.sideWork.make {
                Result { () throws(ConfigurationErrors) in
                    try source.configuration(of: bytes)
                }
            } then: { [unowned self] result in
                switch result {
                case .success(let settings):
                    let previous = self.active
                    self.makeCandidate(settings) { files throws(StartError) in
                        try ActiveConfiguration(settings, files: files, replacing: previous)
                    } then: { result in
                        then(result.mapError { ReloadRefusal(problems: ["\($0)"]) })
                    }
                case .failure(let errors): refuse(errors)
                }
            }
        }
    }

    /// Reads the files that `settings` name, looks its listeners' names up, and tries all of it.
    private func makeCandidate(
        _ settings: GatewayConfiguration,
        _ make: @escaping @Sendable (FileSet) throws(StartError) -> ActiveConfiguration,
        then: @escaping (Result<Candidate, StartError>) -> Void
    ) {
        Self.find(settings, self.listeners, self.files, self.names) { [unowned self] findings in
            self.sideWork.make {
                Result { () throws(StartError) in try Self.tried(try make(findings.files)) }
            } then: { [unowned self] configuration in
                guard self.state == .serving else { return then(.failure(StartError("the gateway is draining"))) }
                then(Result { () throws(StartError) in try self.candidate(try configuration.get(), findings) })
            }
        }
    }

    /// A configuration that a worker could use: libssl has its own opinion of certificates.
    private static func tried(_ configuration: ActiveConfiguration) throws(StartError) -> ActiveConfiguration {
        do throws(TLSError) {
            _ = try WorkerConfiguration(configuration, io: TLSIO())
        } catch {
            throw StartError("\(error)")
        }
        return configuration
    }

    /// Finds what a configuration refers to. Nothing waits for it but `then`.
    static func find(
        _ configuration: GatewayConfiguration, _ listeners: ListenerSet, _ reader: FileReader, _ names: NameRefresh,
        then: @escaping (Findings) -> Void
    ) {
        reader.read(CertificateFiles.files(of: configuration)) { files in
            names.lookUp(listeners.addressesToLookUp(configuration.listeners)) { addresses in
                reader.look(upGroups: configuration.listeners.compactMap(\.access?.group)) { groups in
                    then(Findings(files: files, addresses: addresses, groups: groups))
                }
            }
        }
    }

    private func candidate(_ configuration: ActiveConfiguration, _ findings: Findings) throws(StartError) -> Candidate {
        let change = try self.listeners.prepare(configuration.settings.listeners, findings)
        do {
            let io = TLSIO()
            for listener in change.listeners { _ = try Listener(listener, io: io) }
        } catch {
            change.abandon()
            throw StartError("\(error)")
        }
        return Candidate(configuration: configuration, listeners: change, watched: WatchedFiles(findings.files))
    }

    private func askFates(
        under configuration: ActiveConfiguration, then: @escaping (_ closing: [String: Int], _ kept: Int) -> Void
    ) {
        self.survey.ask(.fates(configuration)) { answers in
            var closing: [String: Int] = [:]
            var kept = 0
            for case .fates(let some, let others) in answers {
                closing.merge(some, uniquingKeysWith: +)
                kept += others
            }
            then(closing, kept)
        }
    }

    private func apply(_ candidate: Candidate, closing: [String: Int], kept: Int) {
        let old = self.active
        self.swap(for: candidate)
        self.fleet.memory.setLimit(
            self.active.settings.memory?.rawValue ?? MemoryBound.automatic)
        self.memory.rose()
        self.names.use(self.active)
        self.rebalancer.take(self.active, insteadOf: old)
        if !closing.isEmpty { self.drain(.condemned(by: candidate.configuration), cause: .reload) { _, _ in } }
        for listener in candidate.listeners.removed {
            self.removeFile(of: listener)
            var record = LogRecord(.info, "listener-closed")
            record.add("address", listener.address.description)
            self.log.write(record)
        }
        for listener in candidate.listeners.opened { self.logListening(listener) }
    }

    /// Puts a candidate in force, here and with the workers.
    private func swap(for candidate: Candidate) {
        self.active = candidate.configuration
        for failure in self.listeners.commit(candidate.listeners) {
            self.log.write(.error, "update-failed", reason: "\(failure)")
        }
        self.watched = candidate.watched
        self.checkHealth()
        self.fleet.tell(.update(candidate.configuration, candidate.listeners.listeners))
    }

    private func checkHealth() {
        do throws(TLSError) {
            try self.health.take(self.active)
        } catch {
            // A worker's context of the same settings was made a moment ago.
            self.log.write(.error, "update-failed", reason: "\(error)")
        }
    }

    private func logReload(closing: [String: Int], kept: Int, awaitingStart: [String]) {
        var record = LogRecord(.info, "reloaded")
        record.add("routes", self.active.routes.count)
        record.add("backends", self.active.backends.count)
        record.add("listeners", self.listeners.listeners.count)
        record.add("closing", closing.values.reduce(0, +))
        record.add("kept", kept)
        self.log.write(record)
        for (reason, sessions) in closing.sorted(by: { $0.key < $1.key }) {
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

    /// The keys that a reload leaves as they were at start, and that say something else now.
    private func awaitingStart(in next: GatewayConfiguration) -> [String] {
        let started = self.startedWith
        let fixed = [
            ("workers", next.workers != started.workers), ("log", next.log != started.log),
            ("admin", next.admin != started.admin),
        ]
        return fixed.filter(\.1).map(\.0)
    }

    // MARK: - Certificates

    /// Looks at certificates and keys from time to time, and reads them again where their files have changed. Live sessions keep what
    /// they have.
    func watchCertificates() {
        self.timers.certificates = ControlTimer(self.loop, once: Self.certificateInterval) { [unowned self] in
            self.reloadCertificatesIfChanged { [unowned self] in self.watchCertificates() }
        }
    }

    private func reloadCertificatesIfChanged(then: @escaping () -> Void) {
        let active = self.active
        guard self.mayReloadCertificates(of: active) else { return then() }
        self.files.look(at: self.watched.paths) { [unowned self] result in
            switch result {
            case .failure(let obstacle):
                // What a look hung at before is no news.
                if obstacle.error != .stuck {
                    self.log.write(.error, "certificates-refused", reason: "cannot look at \(obstacle)")
                }
                then()
            case .success(let stamps):
                guard self.mayReloadCertificates(of: active), self.watched.differ(from: stamps) else { return then() }
                self.makeCandidate(active.settings) { files throws(StartError) in
                    try ActiveConfiguration(active, files: files)
                } then: { [unowned self] in
                    self.use($0, certificatesOf: active)
                    then()
                }
            }
        }
    }

    /// Whether what was found for `active` is still wanted: a reload reads certificates, too.
    private func mayReloadCertificates(of active: ActiveConfiguration) -> Bool {
        self.state == .serving && !self.isReloading && self.active === active
    }

    private func use(_ result: Result<Candidate, StartError>, certificatesOf active: ActiveConfiguration) {
        switch result {
        case .success(let candidate):
            guard self.mayReloadCertificates(of: active) else { return candidate.listeners.abandon() }
            self.swap(for: candidate)
            self.certificatesRefusal = nil
            self.log.write(LogRecord(.info, "certificates-reloaded"))
        case .failure(let error):
            guard self.mayReloadCertificates(of: active) else { return }
            // A chain and its key are two files, and somebody may be in the middle of replacing them: the next look tries again. What it
            // finds is no news if it is the same.
            guard "\(error)" != self.certificatesRefusal else { return }
            self.certificatesRefusal = "\(error)"
            self.log.write(.error, "certificates-refused", reason: "\(error)")
        }
    }
}
