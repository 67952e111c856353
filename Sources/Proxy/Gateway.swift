package import Configuration
internal import Observability
internal import Synchronization
package import System
internal import TLS
package import Takeover

/// The whole gateway: workers, and the control thread, which is the one that calls `run`.
///
/// The control thread takes signals, reloads, checks endpoints, refreshes names and rotates ticket keys. It relays nothing, so it
/// may take its time, but it never waits: `Control/` has what it does, in extensions of this class and objects that it owns.
package final class Gateway {
    /// `serving → draining → stopped`
    enum State {
        case serving
        /// No new sessions; those that are there are closed in good time.
        case draining
        case stopped
    }

    private static let signals = [
        SignalSource.terminate, SignalSource.interrupt, SignalSource.hangUp, SignalSource.user1,
        SignalSource.user2, SignalSource.child,
    ]
    /// How long workers may take to end when they were told to stop.
    private static let lastWait = Duration.seconds(1)
    /// How often files of certificates are looked at.
    static let certificateInterval = Duration.seconds(5)

    /// The control thread's.
    package let loop: EventLoop
    let log: Log
    let fleet: Fleet
    let survey: Survey
    private let resolver: Resolver
    let files: FileReader
    let names: NameRefresh
    /// What would keep the control thread for too long.
    let sideWork: SideWork
    let health: HealthChecks
    let rebalancer: Rebalancer
    let memory: MemoryWatch
    /// For the metrics.
    package var version = ""
    /// Said in the line that says what is served.
    package var hint: String?
    var counted = ControlMetrics()
    private let threads: [Thread.Handle]
    /// Reads the configuration again; `nil`: there is no file (`gateway bridge`).
    let source: ConfigurationSource?
    /// `nil`: there is no file, by which another process would find this one.
    let restart: RestartPlan?
    let inherited: InheritedSockets
    let supervisor: Supervisor
    var takeover: TakeoverServer?
    /// Whom SIGUSR2 starts.
    let successor: SuccessorProcess
    /// Listeners that go on in our successor.
    var adopted: Set<Int> = []
    /// Called when a successor serves: what it wants to have is to be given up.
    package var whenReleased: () -> Void = {}

    /// Set when `run` has returned: workers did not end in time. Whoever ends the process must not clean up what they use.
    package private(set) var leavesWorkers = false

    var state = State.serving
    /// What this process was started with: some of it stays until its end.
    let startedWith: GatewayConfiguration
    /// What is in force.
    var active: ActiveConfiguration
    var listeners: ListenerSet
    var watched: WatchedFiles
    /// Why changed certificates were refused, as the log has it.
    var certificatesRefusal: String?
    /// One reload at a time: those that came meanwhile.
    var isReloading = false
    var waitingReloads: [() -> Void] = []
    /// Workers that have no session left, in a drain.
    var drained: Set<Int> = []
    var timers = Timers()

    /// The timers of the control thread, by what they are for.
    struct Timers {
        var tickets: ControlTimer?
        var certificates: ControlTimer?
        /// Of a drain: the delay before it or its end, and the line about its progress.
        var drain: ControlTimer?
        var progress: ControlTimer?
    }

    /// Opens every listener and starts the workers. Signals are blocked in this thread from here on.
    ///
    /// - Parameters:
    ///   - source: reads the configuration again, for a reload.
    ///   - restart: how it takes another's place, and another its.
    ///   - fileAccess: how files are read that the configuration names, and itself again.
    ///   - lookUp: how host names are looked up.
    /// - Throws: one line that says what is in the way.
    package init(
        _ configuration: GatewayConfiguration, source: ConfigurationSource? = nil, restart: RestartPlan? = nil,
        fileAccess: FileReader.Access = .system(), lookUp: @escaping Resolver.LookUp = Resolver.addresses
    ) throws(StartError) {
        SignalSource.block(Self.signals)
        let descriptorLimit = OwnProcess.raiseDescriptorLimit()
        self.source = source
        self.restart = restart
        self.startedWith = configuration
        do {
            let inherited = try InheritedSockets(restart)
            self.inherited = inherited
            let count = configuration.workers ?? ProcessorCount.available()
            self.log = try Self.openLog(configuration.log)
            self.loop = try EventLoop()
            self.supervisor = Supervisor(log: self.log, isSuccessor: inherited.taken.predecessor != nil)
            self.fleet = try Fleet(
                workers: count, descriptorLimit: descriptorLimit,
                memory: MemoryBound(limit: configuration.memory?.rawValue ?? MemoryBound.automatic))
            guard self.fleet.hasRoom else {
                throw StartError(
                    "the limit of \(descriptorLimit) open files leaves room for no session: raise it (ulimit -n)")
            }
            self.survey = Survey(self.fleet)
            self.sideWork = try SideWork(on: self.loop)
            self.memory = MemoryWatch(self.fleet, self.survey, self.loop, self.log)
            self.resolver = try Resolver(lookUp: lookUp)
            try self.resolver.start()
            let names = try NameRefresh(resolver: self.resolver, log: self.log, loop: self.loop)
            self.names = names
            self.successor = try SuccessorProcess(on: self.loop)
            let listeners = ListenerSet(workers: count)
            let files = try FileReader(on: self.loop, access: fileAccess)
            self.files = files
            var found: Findings?
            Self.find(configuration, listeners, files, self.names) { found = $0 }
            while found == nil { self.loop.turn() }
            let findings = found ?? Findings()
            let active = try ActiveConfiguration(configuration, files: findings.files)
            self.active = active
            names.start(active)
            let rebalancer = Rebalancer(self.loop, self.fleet, self.log)
            self.rebalancer = rebalancer
            self.health = HealthChecks(log: self.log, loop: self.loop, unreachable: { names.unreachable($0) }) {
                rebalancer.begin($0)
            }
            try self.health.take(active)
            self.watched = WatchedFiles(findings.files)
            self.listeners = listeners
            let change = try listeners.prepare(configuration.listeners, findings, from: inherited.source)
            if let failure = self.listeners.commit(change).first { throw failure }
            try inherited.finish()
            let blueprint = WorkerBlueprint(
                fleet: self.fleet, log: self.log, configuration: active, listeners: self.listeners.listeners)
            self.threads = try WorkerThreads.start(count, blueprint)
            _ = try inherited.taken.ready()
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("cannot start: \(error)")
        }
    }

    /// Where the listeners listen, with the ports that were chosen.
    package var addresses: [String] { self.listeners.listeners.map(\.address.description) }

    private static func openLog(_ settings: LogSettings) throws(StartError) -> Log {
        do { return try Log(settings) } catch {
            throw StartError("cannot open the log \(settings.file ?? "stderr"): \(error)")
        }
    }

    // MARK: - Running

    /// Serves until a signal ends it. Returns the exit status.
    package func run() -> Int32 {
        var exitStatus: Int32 = 0
        do {
            try SignalSource.open(Self.signals, on: self.loop) { [unowned self] in self.received(signal: $0) }
            try self.fleet.control.open(on: self.loop) { [unowned self] in self.received($0) }
        } catch {
            self.log.write(.error, "failed", reason: "\(error)")
            exitStatus = 70
            self.stop()
        }
        self.logServing()
        self.startTimers()
        self.openForTakeover()
        self.supervisor.ready(self.status)
        self.supervisor.watch(on: self.loop)
        if self.state != .stopped { self.loop.run() }
        self.takeover?.close()
        self.health.stop()
        self.rebalancer.stop()
        self.memory.stop()
        let stuck = self.joinWorkers()
        self.leavesWorkers = stuck > 0
        for listener in self.listeners.listeners where !self.adopted.contains(listener.id) {
            self.removeFile(of: listener)
        }
        self.resolver.stop()
        var record = LogRecord(stuck == 0 ? .info : .warning, "stopped")
        if stuck > 0 { record.add("reason", "\(stuck) of \(self.threads.count) workers did not end in time") }
        self.log.write(record)
        self.log.close()
        return exitStatus
    }

    /// Waits until the workers have closed, logged and ended, but no longer than they may take: nobody could end the process any more but
    /// by force.
    ///
    /// - Returns: how many have not ended.
    private func joinWorkers() -> Int {
        let end = MonotonicInstant.now() + Self.lastWait
        return self.threads.count { !$0.join(within: max(.zero, end - .now())) }
    }

    private func startTimers() {
        self.timers.tickets = ControlTimer(self.loop, every: TicketKeys.rotationInterval) { [unowned self] in
            for listener in self.listeners.listeners { listener.tls?.tickets.rotate() }
        }
        self.watchCertificates()
    }

    private func logServing() {
        for listener in self.listeners.listeners { self.logListening(listener) }
        var record = LogRecord(.info, "serving")
        record.add("on", self.urls)
        record.add("routes", self.active.routes.count)
        record.add("backends", self.active.backends.count)
        record.add("workers", self.fleet.members.count)
        record.add("version", self.version)
        record.add("process", OwnProcess.number)
        record.add("hint", self.hint)
        self.log.write(record)
        // Whoever starts a gateway that logs to a file still sees that it runs, and where.
        guard let file = self.active.settings.log.file else { return }
        let line = "gateway: serving on \(self.urls), log in \(file)\n"
        // Nobody may read it any more, and nothing here waits for that.
        OutputFile.standardError.offer(Array(line.utf8))
    }

    /// A Unix socket of ours leaves nothing behind.
    func removeFile(of listener: ListenerBlueprint) {
        if !self.inherited.isLent(listener.configured) { Kernel.removeSocketFile(listener.address) }
    }

    private var urls: String { self.listeners.listeners.map(\.url).joined(separator: " ") }

    /// For `systemctl status`.
    var status: String { "serving on \(self.urls)" }

    func logListening(_ listener: ListenerBlueprint) {
        var record = LogRecord(.info, "listening")
        record.add("address", listener.address.description)
        record.add("tls", listener.tls != nil)
        self.log.write(record)
    }

    /// Ends `run` as a signal does, from any thread.
    package var terminator: @Sendable () -> Void {
        let control = self.fleet.control
        return { control.send(.terminate) }
    }

    // MARK: - Messages

    private func received(signal: Int32) {
        switch signal {
        case SignalSource.hangUp: self.reload(dryRun: false) { _ in }
        case SignalSource.user1: self.log.reopen()
        case SignalSource.user2: self.startSuccessor()
        case SignalSource.child: self.successor.look()
        default: self.terminate()
        }
    }

    /// The first time drains; a second one cuts what is left.
    private func terminate() {
        switch self.state {
        case .serving: self.drain(because: "signal")
        case .draining, .stopped: self.stop()
        }
    }

    private func received(_ message: ControlMessage) {
        switch message {
        case .terminate: self.terminate()
        case .drained(let worker):
            self.drained.insert(worker)
            if self.drained.count == self.fleet.members.count { self.stop() }
        case .endpointFailed(let endpoint, let reason): self.health.failed(endpoint, because: reason)
        case .endpointSucceeded(let endpoint): self.health.succeeded(endpoint)
        case .unreachable(let endpoint): self.names.unreachable(endpoint)
        case .memoryRose: self.memory.rose()
        case .answer(let answer, let id, let worker): self.survey.received(answer, id: id, from: worker)
        }
    }

    func stop() {
        guard self.state != .stopped else { return }
        self.state = .stopped
        self.fleet.tell(.stop)
        self.loop.stop()
    }
}
