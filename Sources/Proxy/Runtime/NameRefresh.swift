internal import Configuration
internal import EventLoop
internal import Synchronization

/// Keeps the addresses of endpoints that are named by host true while the gateway runs. Look-ups happen on the resolver's thread.
final class NameRefresh: TimerHandler {
    /// How often every name is looked up.
    private static let interval = Duration.seconds(30)
    private static let firstWait = Duration.seconds(3)
    /// How long a look-up may take without which there is no listener.
    static let listenerWait = Duration.seconds(5)

    private var endpoints: [Endpoint] = []
    private let resolver: Resolver
    private let log: Log
    private unowned let loop: EventLoop
    private var timer: EventLoop.TimerID?
    /// Calls of `resolve` that still wait, and for how many answers.
    private var waiting: [Int: Wait] = [:]
    private var nextID = 0
    /// Says that one answer has come for a call of `resolve`.
    private let answers: Mailbox<Int>

    private struct Wait {
        var answers: Int
        let then: () -> Void
        let limit: ControlTimer
    }

    init(resolver: Resolver, log: Log, loop: EventLoop) throws(SystemError) {
        self.resolver = resolver
        self.log = log
        self.loop = loop
        self.answers = try Mailbox()
        try self.answers.open(on: loop) { [unowned self] in self.answered($0) }
    }

    /// Looks every name up once, and waits for the answers, but no longer than a person would: the first sessions should not fail
    /// because they came early.
    func start(_ runtime: Runtime) {
        self.use(runtime)
        var isWaiting = true
        self.resolve(runtime) { isWaiting = false }
        while isWaiting { self.loop.turn() }
    }

    /// Refreshes the names of this runtime from now on.
    func use(_ runtime: Runtime) {
        self.endpoints = runtime.backends.flatMap(\.endpoints).filter { $0.hostToResolve != nil }
        if self.endpoints.isEmpty { self.loop.cancelTimer(&self.timer) } else if self.timer == nil { self.setTimer() }
    }

    /// Looks up the names that have no address yet.
    ///
    /// - Parameter then: called when all answers are here, or after a while without.
    func resolve(_ runtime: Runtime, then: @escaping () -> Void) {
        let unknown = runtime.backends.flatMap(\.endpoints).filter { endpoint in
            guard endpoint.hostToResolve != nil, case .success(let known) = endpoint.addresses(at: self.loop.now) else { return false }
            return known.isEmpty
        }
        guard !unknown.isEmpty else { return then() }
        let id = self.wait(for: unknown.count, within: Self.firstWait, then: then)
        for endpoint in unknown { self.look(up: endpoint) { [answers] in answers.send(id) } }
    }

    /// Looks up the names of listeners, which are opened once, at one of the addresses that their names have then.
    ///
    /// - Parameter then: called when all answers are here, or after a while: a name without one is a failure.
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
                answers.send(id)
            }
        }
    }

    private final class Found: Sendable {
        let answers = Mutex<[Address: Result<[SocketAddress], ResolveError>]>([:])
    }

    /// - Returns: what each of `count` answers is to be sent as.
    private func wait(for count: Int, within limit: Duration, then: @escaping () -> Void) -> Int {
        let id = self.nextID
        self.nextID += 1
        let timer = ControlTimer(self.loop, once: limit) { [unowned self] in self.finish(id) }
        self.waiting[id] = Wait(answers: count, then: then, limit: timer)
        return id
    }

    private func answered(_ id: Int) {
        self.waiting[id]?.answers -= 1
        if self.waiting[id]?.answers == 0 { self.finish(id) }
    }

    private func finish(_ id: Int) {
        guard let wait = self.waiting.removeValue(forKey: id) else { return }
        wait.limit.cancel()
        wait.then()
    }

    func timerFired() {
        for endpoint in self.endpoints { self.look(up: endpoint) {} }
        self.timer = nil
        self.setTimer()
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }

    private func look(up endpoint: Endpoint, then done: @escaping @Sendable () -> Void) {
        guard let (host, port) = endpoint.hostToResolve else { return done() }
        // A name server that does not answer takes longer than the interval: questions must not pile up behind it.
        guard !endpoint.isBeingResolved.exchange(true, ordering: .relaxed) else { return done() }
        self.resolver.resolve(host: host, port: port) { [log] answer in
            defer {
                endpoint.isBeingResolved.store(false, ordering: .relaxed)
                done()
            }
            guard endpoint.update(answer) else { return }
            switch answer {
            case .success(let addresses):
                var record = LogRecord(.info, "resolved")
                record.add("endpoint", endpoint.name)
                record.add("addresses", addresses.map(\.description).joined(separator: " "))
                log.write(record)
            case .failure(let error):
                var record = LogRecord(.warning, "resolve-failed")
                record.add("endpoint", endpoint.name)
                record.add("reason", error.description)
                log.write(record)
            }
        }
    }
}
