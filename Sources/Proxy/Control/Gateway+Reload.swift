package import Configuration
internal import EventLoop
internal import TLS

/// Reads the configuration again, with every mistake as a line of its own.
package typealias ConfigurationSource = () -> Result<GatewayConfiguration, ConfigurationErrors>

/// Another configuration while sessions go on. It is checked whole, and refused whole: nothing has changed until all of it can be
/// used. Then every worker swaps its snapshot, and the sessions that have no place in the new one are drained.
extension Gateway {
    /// A configuration that can be used.
    private struct Candidate {
        let snapshot: Snapshot
        let listeners: ListenerSet.Change
        /// As they were before they were read: a change in between is found at the next look.
        let watched: WatchedFiles

        var update: WorkerUpdate { WorkerUpdate(snapshot: self.snapshot, listeners: self.listeners.listeners) }
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
        if !dryRun { self.service.reloading() }
        self.reloadNow(dryRun: dryRun) { [unowned self] outcome in
            self.isReloading = false
            if !dryRun, self.state == .serving { self.service.ready(self.status) }
            if !dryRun { self.counted.reloaded(outcome) }
            answer(outcome)
            if !self.waitingReloads.isEmpty { self.waitingReloads.removeFirst()() }
        }
    }

    private func reloadNow(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        let candidate: Candidate
        do throws(ReloadRefusal) {
            candidate = try self.readCandidate()
        } catch {
            if !dryRun { for problem in error.problems { self.log.write(.error, "reload-refused", reason: problem) } }
            return answer(.refused(error.problems))
        }
        let plan = ReloadPlan(to: candidate.snapshot.runtime)
        let awaitingStart = self.awaitingStart(in: candidate.snapshot.runtime.configuration)
        guard !dryRun else {
            candidate.listeners.abandon()
            return self.askFates(under: plan) { closing, kept in
                answer(.applied(closing: closing, kept: kept, awaitingStart: awaitingStart))
            }
        }
        // Endpoints that are new have addresses before sessions are led to them.
        self.names.resolve(candidate.snapshot.runtime) { [unowned self] in
            guard self.state == .serving else {
                candidate.listeners.abandon()
                return answer(.refused(["the gateway is draining"]))
            }
            self.askFates(under: plan) { closing, kept in
                // Workers that were told to accept no more would accept from listeners that come after.
                guard self.state == .serving else {
                    candidate.listeners.abandon()
                    return answer(.refused(["the gateway is draining"]))
                }
                self.apply(candidate, plan, closing: closing, kept: kept)
                self.logReload(closing: closing, kept: kept, awaitingStart: awaitingStart)
                answer(.applied(closing: closing, kept: kept, awaitingStart: awaitingStart))
            }
        }
    }

    private struct ReloadRefusal: Error {
        let problems: [String]
    }

    private func readCandidate() throws(ReloadRefusal) -> Candidate {
        guard let source = self.source else {
            throw ReloadRefusal(problems: ["there is no configuration file to read again"])
        }
        switch source() {
        case .failure(let errors): throw ReloadRefusal(problems: errors.diagnostics.map(\.description))
        case .success(let configuration):
            do throws(StartError) {
                return try self.candidate(Runtime(configuration, replacing: self.snapshot.runtime))
            } catch {
                throw ReloadRefusal(problems: ["\(error)"])
            }
        }
    }

    /// Reads the files that the configuration of `runtime` names, and tries all of it.
    private func candidate(_ runtime: Runtime) throws(StartError) -> Candidate {
        let watched = WatchedFiles(runtime.configuration)
        let snapshot = try Snapshot(runtime)
        let change = try self.listeners.prepare(runtime.configuration.listeners)
        do {
            // What workers will make of it, once: libssl has its own opinion of certificates.
            let io = TLSIO()
            _ = try WorkerRuntime(snapshot, io: io)
            for listener in change.listeners { _ = try Listener(listener, io: io) }
        } catch {
            change.abandon()
            throw StartError("\(error)")
        }
        return Candidate(snapshot: snapshot, listeners: change, watched: watched)
    }

    private func askFates(under plan: ReloadPlan, then: @escaping (_ closing: [String: Int], _ kept: Int) -> Void) {
        self.survey.ask(.fates(plan)) { answers in
            var closing: [String: Int] = [:]
            var kept = 0
            for case .fates(let some, let others) in answers {
                closing.merge(some, uniquingKeysWith: +)
                kept += others
            }
            then(closing, kept)
        }
    }

    private func apply(_ candidate: Candidate, _ plan: ReloadPlan, closing: [String: Int], kept: Int) {
        let old = self.snapshot.runtime
        self.swap(for: candidate)
        self.fleet.memory.setLimit(
            self.snapshot.runtime.configuration.memory?.rawValue ?? MemoryBound.automatic)
        self.memory.rose()
        self.longestClose = max(self.longestClose, self.snapshot.runtime.longestClose)
        self.names.use(self.snapshot.runtime)
        self.rebalancer.take(self.snapshot.runtime, insteadOf: old)
        if !closing.isEmpty { self.drain(.condemned(by: plan), cause: .reload) { _, _ in } }
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
        self.snapshot = candidate.snapshot
        self.listeners.commit(candidate.listeners)
        self.watched = candidate.watched
        self.checkHealth()
        self.fleet.tell(.update(candidate.update))
    }

    private func checkHealth() {
        do throws(TLSError) {
            try self.health.take(self.snapshot)
        } catch {
            // A worker's context of the same settings was made a moment ago.
            self.log.write(.error, "update-failed", reason: "\(error)")
        }
    }

    private func logReload(closing: [String: Int], kept: Int, awaitingStart: [String]) {
        var record = LogRecord(.info, "reloaded")
        record.add("routes", self.snapshot.runtime.routes.count)
        record.add("backends", self.snapshot.runtime.backends.count)
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

    /// Reads certificates and keys again where their files have changed. Live sessions keep what they have.
    func reloadCertificatesIfChanged() {
        guard self.state == .serving, !self.isReloading, self.watched.haveChanged() else { return }
        do throws(StartError) {
            self.swap(for: try self.candidate(self.snapshot.runtime))
            self.log.write(LogRecord(.info, "certificates-reloaded"))
        } catch {
            // A chain and its key are two files, and somebody may be in the middle of replacing them: the next look tells.
            self.log.write(.error, "certificates-refused", reason: "\(error)")
        }
    }
}
