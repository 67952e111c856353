public import Configuration
internal import DataPlane
internal import Observability
public import System
internal import TLS
public import Takeover

/// The whole gateway: the workers and the control thread, on which `run` is called.
///
/// The control thread handles signals, reloads, health checks, host names and ticket keys. It relays nothing, so its work may take a
/// moment, but it never blocks. This class owns the objects that do the work, and connects them.
public final class Gateway {
    private static let signals = [
        SignalSource.terminate, SignalSource.interrupt, SignalSource.hangUp, SignalSource.user1,
        SignalSource.user2, SignalSource.child,
    ]
    /// How long workers may take to end after they were told to stop.
    private static let lastWait = Duration.seconds(1)

    /// The loop of the control thread.
    public let loop: EventLoop
    /// The version of the gateway, for the log and the metrics.
    public var version = ""
    /// Added to the log line `serving`, as `hint`.
    public var hint: String?
    /// Called when a successor serves: close what it needs, such as the admin address.
    public var whenReleased: () -> Void = {}
    /// True after `run` if workers did not end in time. They still use memory, so the process must end without cleaning up.
    public private(set) var leavesWorkers = false

    /// When it was made.
    let started = (instant: MonotonicInstant.now(), text: WallClock.rfc3339())
    let log: Log
    let fleet: Fleet
    let survey: Survey
    let tails: Tails
    let serving: Serving
    let reloader: Reloader
    let drainer: Drainer
    let health: HealthChecks
    let history: ActivityHistory
    let events: EventWatch
    /// The subjects that are kept out.
    var revoked = RevokedSubjects()
    let tokens: TokenWatch
    let keys: KeyRefresh
    /// Runs work that would hold up the control thread.
    let sideWork: SideWork
    /// Verifies the passwords at the admin address. Those of routes have another pool, so that guesses there do not keep operators out.
    let passwords: WorkerPasswords
    private let threads: [Thread.Handle]
    private let resolver: Resolver
    private let names: NameRefresh
    private let rebalancer: Rebalancer
    private let memory: MemoryWatch
    private let cluster: ClusterThread
    private let certificates: CertificateWatch
    let credentials: CredentialWatch
    private let inherited: InheritedSockets
    private let supervisor: Supervisor
    private var handover: Handover?
    private var ticketRotation: ControlTimer?

    /// Opens every listener and starts the workers. Blocks the signals in the calling thread, which becomes the control thread.
    ///
    /// - Parameters:
    /// - source: reads the configuration again for a reload; `nil` if there is no file (`gateway bridge`).
    ///   - restart: how this process takes over, and how a successor takes over from it.
    /// - fileAccess: reads the configuration and the files that it names.
    /// - lookUp: resolves host names.
    /// - Throws: one line that says why the gateway cannot start.
    public init(
        _ configuration: GatewayConfiguration, source: ConfigurationSource? = nil, restart: RestartPlan? = nil,
        fileAccess: FileReader.Access = .system(), lookUp: @escaping Resolver.LookUp = Resolver.addresses
    ) throws(StartError) {
        SignalSource.block(Self.signals)
        let descriptorLimit = OwnProcess.raiseDescriptorLimit()
        do {
            let inherited = try InheritedSockets(restart)
            let count = configuration.workers ?? ProcessorCount.available()
            let log = try Self.openLog(configuration.log)
            let loop = try EventLoop()
            let fleet = try Fleet(
                workers: count, descriptorLimit: descriptorLimit,
                memory: MemoryBound(limit: configuration.memory?.rawValue ?? MemoryBound.automatic))
            guard fleet.hasRoom else {
                throw StartError(
                    "the limit of \(descriptorLimit) open files leaves room for no session: raise it (ulimit -n)")
            }
            let survey = Survey(fleet)
            let sideWork = try SideWork(on: loop)
            // A dashboard asks several questions at once, and operators may share an address.
            self.passwords = try WorkerPasswords(PasswordPool(mostOfAddress: 16), on: loop)
            let resolver = try Resolver(lookUp: lookUp)
            try resolver.start()
            let names = try NameRefresh(resolver: resolver, log: log, loop: loop)
            let files = try FileReader(on: loop, access: fileAccess)

            // First find what the configuration refers to, then make all that depends on it.
            let listeners = ListenerSet(workers: count)
            let findings = Findings.now(configuration, listeners, files, names, on: loop)
            let active = try ActiveConfiguration(configuration, files: findings.files)
            let tokens = try TokenWatch(fileAccess, names, loop, log)
            tokens.start(active)
            names.start(active)
            let read = ConfigurationText(bytes: source?.first ?? [], path: source?.path)
            let serving = try Serving(active, read: read, listeners, findings, from: inherited.source)
            try inherited.requireAllTaken()
            let keys = KeyRefresh(names, sideWork, loop, log)
            keys.start(configuration, serving.credentials)

            let supervisor = Supervisor(log: log, isSuccessor: inherited.taken.predecessor != nil)
            let rebalancer = Rebalancer(loop, fleet, log)
            let health = HealthChecks(log: log, loop: loop, unreachable: { names.unreachable($0) }) {
                rebalancer.begin($0)
            }
            try health.take(active)
            let cluster = ClusterThread(fleet, log)
            try cluster.use(active)
            let memory = MemoryWatch(fleet, survey, loop, log)
            let drainer = Drainer(fleet, survey, serving, supervisor, loop, log)
            let candidates = Candidates(files, names, sideWork, serving, drainer)
            let reloader = Reloader(
                source, candidates, serving, survey,
                Reloader.Followers(
                    fleet: fleet, names: names, tokens: tokens, keys: keys, health: health, rebalancer: rebalancer,
                    memory: memory, cluster: cluster,
                    drainer: drainer, supervisor: supervisor), log)
            (self.tokens, self.keys, self.tails) = (tokens, keys, Tails(fleet, survey))
            self.certificates = CertificateWatch(files, candidates, serving, reloader, loop, log)

            self.credentials = CredentialWatch(files, sideWork, serving, reloader, keys, loop, log)
            keys.whenChanged = { fleet.tell(.verify(keys.completed(serving.credentials.contents))) }

            let revoked = RevokedSubjects(inherited.taken.revoked, now: loop.now)
            let blueprint = WorkerBlueprint(
                fleet: fleet, log: log, configuration: active, listeners: serving.listeners.listeners,
                credentials: keys.completed(serving.credentials.contents), revoked: revoked)
            self.threads = try WorkerThreads.start(count, blueprint)

            (self.loop, self.log, self.fleet, self.survey, self.sideWork) = (loop, log, fleet, survey, sideWork)
            (self.resolver, self.names, self.serving, self.health) = (resolver, names, serving, health)
            (self.rebalancer, self.memory, self.drainer, self.reloader) = (rebalancer, memory, drainer, reloader)
            (self.inherited, self.supervisor, self.cluster) = (inherited, supervisor, cluster)
            self.history = ActivityHistory(survey, loop)
            self.events = try EventWatch(log, survey, loop)
            self.handover = try Handover(restart, serving, drainer, loop, log) { [unowned self] in
                self.revoked.left(now: loop.now)
            } released: { [unowned self] in
                self.released(to: $0)
            }
            try SignalSource.open(Self.signals, on: loop) { [unowned self] in self.received(signal: $0) }
            try fleet.control.open(on: loop) { [unowned self] in self.received($0) }
            // The last thing that can fail: from here on the predecessor drains, and nothing else serves.
            _ = try inherited.taken.ready()
            // Those that were kept out since the offer are here now, too.
            self.revoked = RevokedSubjects(inherited.taken.revoked, now: loop.now)
            fleet.tell(.revoke(self.revoked))
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("cannot start: \(error)")
        }
    }

    /// Whether this process has taken over from another one.
    public var tookOver: Bool { self.inherited.taken.predecessor != nil }

    private static func openLog(_ settings: GatewayConfiguration.Log) throws(StartError) -> Log {
        do { return try Log(settings) } catch {
            throw StartError("cannot open the log \(settings.file ?? "stderr"): \(error)")
        }
    }

    // MARK: - Running

    /// Serves until a signal ends it.
    public func run() {
        self.logServing()
        self.log.write(warningsOf: self.serving.credentials)
        self.ticketRotation = ControlTimer(self.loop, every: TicketKeys.rotationInterval) { [unowned self] in
            self.serving.rotateTicketKeys()
        }
        self.certificates.start()
        self.credentials.start()
        self.tokens.use(self.serving.configuration)
        self.handover?.open(self.inherited.taken)
        self.supervisor.ready(self.serving.status)
        self.supervisor.watch(on: self.loop)
        if !self.drainer.hasStopped { self.loop.run() }
        self.end()
    }

    private func end() {
        self.handover?.close()
        self.health.stop()
        self.keys.stop()
        self.rebalancer.stop()
        self.memory.stop()
        let stuck = self.joinWorkers()
        let hasClusterEnded = self.cluster.stop(within: Self.lastWait)
        self.leavesWorkers = stuck > 0 || !hasClusterEnded
        let adopted = self.handover?.adopted ?? []
        for listener in self.serving.listeners.listeners where !adopted.contains(listener.id) {
            self.serving.removeFile(of: listener)
        }
        self.resolver.stop()
        var record = LogRecord(stuck == 0 ? .info : .warning, "stopped")
        if stuck > 0 { record.add("reason", "\(stuck) of \(self.threads.count) workers did not end in time") }
        self.log.write(record)
        self.log.close()
    }

    /// Waits until the workers have closed, logged and ended, but for `lastWait` at most: the process must be able to end.
    ///
    /// - Returns: the number of workers that have not ended.
    private func joinWorkers() -> Int {
        let end = MonotonicInstant.now() + Self.lastWait
        return self.threads.count { !$0.join(within: max(.zero, end - .now())) }
    }

    private func logServing() {
        for listener in self.serving.listeners.listeners { self.log.write(listener.record) }
        let configuration = self.serving.configuration
        var record = LogRecord(.info, "serving")
        record.add("on", self.serving.urls)
        record.add("routes", configuration.routes.count)
        record.add("backends", configuration.backends.count)
        record.add("workers", self.fleet.members.count)
        record.add("version", self.version)
        record.add("process", OwnProcess.number)
        record.add("hint", self.hint)
        self.log.write(record)
        // If the log is a file, a terminal still shows that the gateway runs, and where.
        guard let file = configuration.settings.log.file else { return }
        let line = "gateway: serving on \(self.serving.urls), log in \(file)\n"
        // Nothing may read standard error; do not wait for that.
        OutputFile.standardError.offer(Array(line.utf8))
    }

    // MARK: - Events

    private func received(signal: Int32) {
        switch signal {
        case SignalSource.hangUp: self.reloader.reload(dryRun: false) { _ in }
        case SignalSource.user1: self.log.reopen()
        case SignalSource.user2: self.handover?.start()
        case SignalSource.child: self.handover?.childEnded()
        default: self.terminate()
        }
    }

    private func received(_ message: ControlMessage) {
        switch message {
        case .drained(let worker): self.drainer.drained(worker: worker)
        case .endpointFailed(let endpoint, let reason): self.health.failed(endpoint, because: reason)
        case .endpointSucceeded(let endpoint): self.health.succeeded(endpoint)
        case .unreachable(let endpoint): self.names.unreachable(endpoint)
        case .unknownKey(let keys): self.keys.doubted(keys)
        case .memoryRose: self.memory.rose()
        case .tailed(let tail, let news): self.tails.received(news, of: tail)
        case .answer(let answer, let id, let worker): self.survey.received(answer, id: id, from: worker)
        }
    }

    /// The first signal drains, a second one ends what is left.
    func terminate() {
        if self.drainer.isServing { self.drain(because: .signal) } else { self.drainer.signalled() }
    }

    func drain(because reason: Drainer.Reason) {
        self.handover?.close()
        self.drainer.drain(because: reason)
    }

    private func released(to successor: Int32) {
        self.supervisor.mainProcess(successor)
        self.supervisor.stopWatching()
        self.whenReleased()
    }
}

extension RevokedSubjects {
    /// Those that another process kept out.
    fileprivate init(_ revoked: [(subject: String, seconds: Int)], now: MonotonicInstant) {
        self.init()
        for (subject, seconds) in revoked { _ = self.add(subject, for: .seconds(seconds), now: now) }
    }
}
