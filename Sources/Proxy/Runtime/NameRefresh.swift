internal import Configuration
internal import EventLoop
internal import Synchronization

/// Keeps the addresses of endpoints that are named by host true while the gateway runs. Look-ups happen on the resolver's thread.
final class NameRefresh: TimerHandler {
    /// How often every name is looked up.
    private static let interval = Duration.seconds(30)
    private static let firstWait = Duration.seconds(3)

    private let endpoints: [Endpoint]
    private let resolver: Resolver
    private let log: Log
    private unowned let loop: EventLoop
    private var timer: EventLoop.TimerID?

    init(_ runtime: Runtime, resolver: Resolver, log: Log, loop: EventLoop) {
        self.endpoints = runtime.backends.flatMap(\.endpoints).filter { $0.hostToResolve != nil }
        self.resolver = resolver
        self.log = log
        self.loop = loop
    }

    /// Looks every name up once, and waits for the answers, but no longer than a person would: the first sessions should not fail
    /// because they came early.
    func start() throws(SystemError) {
        guard !self.endpoints.isEmpty else { return }
        var waiting = self.endpoints.count
        let answers = try Mailbox<Void>()
        try answers.open(on: self.loop) { waiting -= 1 }
        for endpoint in self.endpoints { self.look(up: endpoint) { answers.send(()) } }
        let deadline = MonotonicInstant.now() + Self.firstWait
        while waiting > 0, MonotonicInstant.now() < deadline { self.loop.turn(waitingAtMost: deadline - .now()) }
        self.setTimer()
    }

    func timerFired() {
        for endpoint in self.endpoints { self.look(up: endpoint) {} }
        self.timer = nil
        self.setTimer()
    }

    private func setTimer() { self.loop.setTimer(&self.timer, at: self.loop.now + Self.interval, self) }

    private func look(up endpoint: Endpoint, then done: @escaping @Sendable () -> Void) {
        guard let (host, port) = endpoint.hostToResolve else { return }
        // A name server that does not answer takes longer than the interval: questions must not pile up behind it.
        guard !endpoint.isBeingResolved.exchange(true, ordering: .relaxed) else { return }
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
