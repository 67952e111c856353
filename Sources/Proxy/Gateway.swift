package import Configuration
internal import EventLoop
internal import Synchronization
internal import TLS

/// The whole gateway: workers, and the control thread, which is the one that calls `run`.
///
/// The control thread takes signals, refreshes names and rotates ticket keys. It relays nothing, so it may take its time.
package final class Gateway {
    /// `serving → draining → stopped`
    private enum State {
        case serving
        case draining
        case stopped
    }

    private static let signals = [SignalSource.terminate, SignalSource.interrupt, SignalSource.hangUp]

    private let log: Log
    private let loop: EventLoop
    private let runtime: Runtime
    private let fleet: Fleet
    private let resolver: Resolver
    private let names: NameRefresh
    private let health: HealthChecks
    private let listeners: [ListenerBlueprint]
    private let threads: [Thread.Handle]
    private var state = State.serving
    private var drained: Set<Int> = []
    private var drainTimer: ControlTimer?
    private var ticketTimer: ControlTimer?

    /// Opens every listener and starts the workers. Signals are blocked in this thread from here on.
    ///
    /// - Throws: one line that says what is in the way.
    package init(_ configuration: GatewayConfiguration) throws(StartError) {
        SignalSource.block(Self.signals)
        let descriptorLimit = DescriptorLimit.raise()
        do {
            let count = configuration.workers ?? Thread.processorCount
            self.log = try Self.openLog(configuration.log)
            self.loop = try EventLoop()
            self.runtime = Runtime(configuration)
            self.fleet = try Fleet(workers: count, descriptorLimit: descriptorLimit)
            guard self.fleet.hasRoom else {
                throw StartError(
                    "the limit of \(descriptorLimit) open files leaves room for no session: raise it (ulimit -n)")
            }
            self.resolver = try Resolver()
            try self.resolver.start()
            self.names = NameRefresh(self.runtime, resolver: self.resolver, log: self.log, loop: self.loop)
            try self.names.start()
            let clientTLS = try self.runtime.backends.map { try Credentials.client($0.settings) }
            self.health = HealthChecks(log: self.log, loop: self.loop)
            try self.health.take(self.runtime, tls: clientTLS)
            self.listeners = try Self.openListeners(configuration.listeners, workers: count)
            let blueprint = WorkerBlueprint(
                runtime: self.runtime, fleet: self.fleet, log: self.log, listeners: self.listeners, clientTLS: clientTLS
            )
            self.threads = try WorkerThreads.start(count, blueprint)
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("cannot start: \(error)")
        }
    }

    /// Where the listeners listen, with the ports that were chosen.
    package var addresses: [String] { self.listeners.map(\.address.description) }

    private static func openLog(_ settings: LogSettings) throws(StartError) -> Log {
        do { return try Log(settings) } catch {
            throw StartError("cannot open the log \(settings.file ?? "stderr"): \(error)")
        }
    }

    private static func openListeners(
        _ settings: [ListenerSettings], workers: Int
    ) throws(StartError) -> [ListenerBlueprint] {
        var listeners: [ListenerBlueprint] = []
        for setting in settings {
            let tls = try Credentials.server(setting).map { ($0, TicketKeys()) }
            let address = try self.resolve(setting.address)
            do throws(SystemError) {
                let (sockets, bound) = try Self.listen(address, workers: workers)
                listeners.append(ListenerBlueprint(address: bound, sockets: sockets, tls: tls))
            } catch {
                throw StartError("cannot listen on \(setting.address): \(error.reason)")
            }
        }
        return listeners
    }

    /// Every address of both families is one socket; on a system without IPv6 it is every address of IPv4.
    private static func listen(
        _ address: SocketAddress, workers: Int
    ) throws(SystemError) -> (sockets: [Int32], address: SocketAddress) {
        do throws(SystemError) {
            return try Kernel.listen(address, forWorkers: workers)
        } catch {
            guard case .ipv6(high: 0, low: 0, let port, _) = address, error.isWithoutIPv6 else { throw error }
            return try Kernel.listen(.ipv4(0, port: port), forWorkers: workers)
        }
    }

    private static func resolve(_ address: Address) throws(StartError) -> SocketAddress {
        switch address {
        case .unix(let path): return .unix(path: path)
        case .tcp(let host, let port):
            // No host: every address, of both families.
            if host.isEmpty { return .ipv6(high: 0, low: 0, port: port, scope: 0) }
            switch Resolver.addresses(of: host, port: port) {
            case .success(let addresses): return addresses[0]
            case .failure(let error): throw StartError("cannot listen on \(address): \(error.reason)")
            }
        }
    }

    // MARK: - Running

    /// Serves until a signal ends it. Returns the exit status.
    package func run() -> Int32 {
        do {
            try SignalSource.open(Self.signals, on: self.loop) { [unowned self] in self.received(signal: $0) }
            try self.fleet.control.open(on: self.loop) { [unowned self] in self.received($0) }
        } catch {
            self.log.write(.error, "failed", reason: "\(error)")
            self.stop()
        }
        self.logServing()
        self.ticketTimer = ControlTimer(self.loop, every: TicketKeys.rotationInterval) { [unowned self] in
            for listener in self.listeners { listener.tls?.tickets.rotate() }
        }
        if self.state != .stopped { self.loop.run() }
        self.health.stop()
        for thread in self.threads { thread.join() }
        for listener in self.listeners { Kernel.removeSocketFile(listener.address) }
        self.resolver.stop()
        self.log.write(LogRecord(.info, "stopped"))
        self.log.close()
        return 0
    }

    private func logServing() {
        for listener in self.listeners {
            var record = LogRecord(.info, "listening")
            record.add("address", listener.address.description)
            record.add("tls", listener.tls != nil)
            self.log.write(record)
        }
        var record = LogRecord(.info, "serving")
        let urls = self.listeners.map { ($0.tls == nil ? "ws://" : "wss://") + $0.address.description }
        record.add("on", urls.joined(separator: " "))
        record.add("routes", self.runtime.routes.count)
        record.add("backends", self.runtime.backends.count)
        record.add("workers", self.fleet.members.count)
        self.log.write(record)
        // Whoever starts a gateway that logs to a file still sees that it runs, and where.
        guard let file = self.runtime.configuration.log.file else { return }
        let line = "gateway: serving on \(urls.joined(separator: " ")), log in \(file)\n"
        _ = OutputFile.standardError.write(Array(line.utf8))
    }

    /// Ends `run` as a signal does, from any thread.
    package var terminator: @Sendable () -> Void {
        let control = self.fleet.control
        return { control.send(.terminate) }
    }

    private func received(signal: Int32) {
        guard signal == SignalSource.hangUp else { return self.terminate() }
        // Not a reason to die, as it would be by default.
        self.log.write(.warning, "reload-refused", reason: "reloading is not yet supported")
    }

    /// The first time drains; a second one cuts what is left.
    private func terminate() {
        switch self.state {
        case .serving: self.drain()
        case .draining, .stopped: self.stop()
        }
    }

    private func drain() {
        self.state = .draining
        var record = LogRecord(.info, "draining")
        record.add("sessions", self.fleet.sessions)
        self.log.write(record)
        self.fleet.tell(.drain)
        // A moment more than the sessions give their peers, so that theirs is the last word.
        let limit = self.runtime.longestClose + .milliseconds(500)
        self.drainTimer = ControlTimer(self.loop, once: limit) { [unowned self] in self.stop() }
    }

    private func received(_ message: ControlMessage) {
        switch message {
        case .terminate: self.terminate()
        case .drained(let worker):
            self.drained.insert(worker)
            if self.drained.count == self.fleet.members.count { self.stop() }
        case .endpointFailed(let endpoint): self.health.failed(endpoint)
        case .endpointRecovered(let endpoint): self.health.recovered(endpoint)
        case .endpointLate(let endpoint): self.health.lookAtHeartbeats(of: endpoint)
        }
    }

    private func stop() {
        guard self.state != .stopped else { return }
        self.state = .stopped
        self.fleet.tell(.stop)
        self.loop.stop()
    }
}

/// A timer of the control thread.
private final class ControlTimer: TimerHandler {
    private unowned let loop: EventLoop
    private let interval: Duration?
    private let action: () -> Void
    private var timer: EventLoop.TimerID?

    init(_ loop: EventLoop, once delay: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = nil
        self.action = action
        loop.setTimer(&self.timer, at: .now() + delay, self)
    }

    init(_ loop: EventLoop, every interval: Duration, _ action: @escaping () -> Void) {
        self.loop = loop
        self.interval = interval
        self.action = action
        loop.setTimer(&self.timer, at: .now() + interval, self)
    }

    func timerFired() {
        self.timer = nil
        self.action()
        if let interval = self.interval { self.loop.setTimer(&self.timer, at: self.loop.now + interval, self) }
    }
}
