internal import Configuration
internal import DataPlane
internal import Observability
internal import Synchronization
internal import System

/// Keeps the addresses of endpoints that have host names up to date. Look-ups run on the resolver's threads, the rest on the control
/// thread.
final class NameRefresh {
    private static let firstWait = Duration.seconds(3)
    /// How long to wait for the address of a listener before it is an error.
    static let listenerWait = Duration.seconds(5)

    private enum Answer: Sendable {
        case ofHost(String, Result<[SocketAddress], ResolveError>)
        /// The answer to one name of a call of `lookUp`, by its id.
        case ofListener(Int)
    }

    private struct Wait {
        var answers: Int
        let then: () -> Void
        let limit: ControlTimer
    }

    private var names: [String: HostName] = [:]
    private let resolver: Resolver
    private let log: Log
    private unowned let loop: EventLoop
    /// The calls that wait, each with the number of answers that are missing.
    private var waiting: [Int: Wait] = [:]
    private var nextID = 0
    private let answers: Mailbox<Answer>

    init(resolver: Resolver, log: Log, loop: EventLoop) throws(SystemError) {
        self.resolver = resolver
        self.log = log
        self.loop = loop
        self.answers = try Mailbox()
        try self.answers.open(on: loop) { [unowned self] in self.received($0) }
    }

    // MARK: - Endpoints

    /// Looks every name up and waits for the answers, up to `firstWait`: without addresses the first sessions would fail.
    func start(_ active: ActiveConfiguration) {
        var isWaiting = true
        self.resolve(active) { isWaiting = false }
        while isWaiting { self.loop.turn() }
    }

    /// Refreshes the names of this configuration from now on, and no others.
    func use(_ active: ActiveConfiguration) {
        let endpoints = active.allEndpoints
        self.add(endpoints, active.settings.names)
        let ids = Set(endpoints.map { ObjectIdentifier($0) })
        self.keep { ids.contains(ObjectIdentifier($0)) }
    }

    /// Refreshes the names of these endpoints, too, and those of others no more.
    func use(_ added: [Endpoint], insteadOf removed: [Endpoint], _ settings: GatewayConfiguration.Names) {
        // A reload may have forgotten them since they were looked up.
        for name in self.add(added, settings) { name.goOn() }
        let ids = Set(removed.map { ObjectIdentifier($0) })
        if !ids.isEmpty { self.keep { !ids.contains(ObjectIdentifier($0)) } }
    }

    private func keep(_ isKept: (Endpoint) -> Bool) {
        for (host, name) in self.names {
            name.endpoints.removeAll { !isKept($0) }
            guard name.endpoints.isEmpty else { continue }
            name.stop()
            self.names[host] = nil
        }
    }

    /// Looks every name of a configuration up, also those with known addresses.
    ///
    /// - Parameter then: called when all answers are here, or after `firstWait`.
    func resolve(_ active: ActiveConfiguration, then: @escaping () -> Void) {
        self.resolve(
            active.allEndpoints, active.settings.names, within: Self.firstWait, then: then)
    }

    /// Looks the names of endpoints up, also those with known addresses.
    ///
    /// - Parameter then: called when all answers are here, or after `limit`.
    func resolve(
        _ endpoints: [Endpoint], _ settings: GatewayConfiguration.Names, within limit: Duration,
        then: @escaping () -> Void
    ) {
        let names = self.add(endpoints, settings)
        guard !names.isEmpty else { return then() }
        let id = self.wait(for: names.count, within: limit, then: then)
        for name in names { name.want(id) }
    }

    /// No address of the endpoint can be connected to: it may have new ones.
    func unreachable(_ endpoint: Endpoint) {
        endpoint.takeLookUp()
        guard let (host, _) = endpoint.hostToResolve, let name = self.names[host] else { return }
        name.schedule.doubted(at: self.loop.now)
        name.goOn()
    }

    /// Adds the names of endpoints, and returns them.
    @discardableResult
    private func add(_ endpoints: [Endpoint], _ settings: GatewayConfiguration.Names) -> [HostName] {
        let named = endpoints.filter { $0.hostToResolve != nil }
        return Dictionary(grouping: named) { $0.hostToResolve?.host ?? "" }.map { host, endpoints in
            let name = self.names[host] ?? self.name(host, refresh: settings.refresh)
            name.schedule.refresh = settings.refresh
            let known = Set(name.endpoints.map { ObjectIdentifier($0) })
            name.endpoints += endpoints.filter { !known.contains(ObjectIdentifier($0)) }
            self.names[host] = name
            return name
        }
    }

    private func name(_ host: String, refresh: Duration) -> HostName {
        HostName(host, refresh: refresh, on: self.loop) { [resolver, answers] host in
            resolver.resolve(host: host, port: 0) { answers.send(.ofHost(host, $0)) }
        }
    }

    private func received(_ answer: Answer) {
        switch answer {
        case .ofListener(let id): self.answered(id)
        case .ofHost(let host, let result):
            guard let name = self.names[host] else { return }
            let hasSucceeded = if case .success = result { true } else { false }
            let hasTurned = hasSucceeded == name.schedule.isFailing
            for endpoint in name.endpoints { self.tell(endpoint, result, hasTurned: hasTurned) }
            for id in name.answered(hasSucceeded: hasSucceeded) { self.answered(id) }
        }
    }

    /// - Parameter hasTurned: whether the name began or stopped to fail. While it fails its last addresses stay in use, and the log says
    ///   so.
    private func tell(
        _ endpoint: Endpoint, _ result: Result<[SocketAddress], ResolveError>, hasTurned: Bool
    ) {
        let port = endpoint.hostToResolve?.port ?? 0
        let result = result.map { $0.map { $0.with(port: port) } }
        guard endpoint.update(result) || hasTurned else { return }
        switch result {
        case .success(let addresses):
            var record = LogRecord(.info, "resolved")
            record.add("endpoint", endpoint.name)
            record.add("addresses", addresses.map(\.description).joined(separator: " "))
            self.log.write(record)
        case .failure(let error):
            var record = LogRecord(.warning, "resolve-failed")
            record.add("endpoint", endpoint.name)
            record.add("reason", error.description)
            self.log.write(record)
        }
    }

    // MARK: - Listeners

    /// Looks up the host names of listeners. This is done once: a listener stays at the address that it is opened at.
    ///
    /// - Parameter then: called when all answers are here, or after `limit`. A name without an answer by then is a failure.
    func lookUp(
        _ listeners: [Address], within limit: Duration = NameRefresh.listenerWait,
        then: @escaping ([Address: Result<[SocketAddress], ResolveError>]) -> Void
    ) {
        guard !listeners.isEmpty else { return then([:]) }
        let found = Found()
        let id = self.wait(for: listeners.count, within: limit) {
            var all = found.answers.withLock { $0 }
            for case .tcp(let host, let port) in listeners where all[.tcp(host: host, port: port)] == nil {
                let reason = "\(host) was not resolved within \(limit.components.seconds) s"
                all[.tcp(host: host, port: port)] = .failure(ResolveError(host: host, reason: reason))
            }
            then(all)
        }
        for case .tcp(let host, let port) in listeners {
            self.resolver.resolve(host: host, port: port) { [answers] answer in
                found.answers.withLock { $0[.tcp(host: host, port: port)] = answer }
                answers.send(.ofListener(id))
            }
        }
    }

    private final class Found: Sendable {
        let answers = Mutex<[Address: Result<[SocketAddress], ResolveError>]>([:])
    }

    // MARK: - Waiting

    /// - Returns: the id to call `answered` with, `count` times.
    private func wait(for count: Int, within limit: Duration, then: @escaping () -> Void) -> Int {
        let id = self.nextID
        self.nextID += 1
        let timer = ControlTimer(self.loop, once: limit) { [unowned self] in self.end(id) }
        self.waiting[id] = Wait(answers: count, then: then, limit: timer)
        return id
    }

    private func answered(_ id: Int) {
        self.waiting[id]?.answers -= 1
        if self.waiting[id]?.answers == 0 { self.end(id) }
    }

    private func end(_ id: Int) {
        guard let wait = self.waiting.removeValue(forKey: id) else { return }
        wait.limit.cancel()
        wait.then()
    }
}
