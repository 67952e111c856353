internal import Balancing
internal import Configuration
internal import DataPlane
internal import Observability
internal import Synchronization
internal import System

/// The health of one backend's endpoints, on the control thread. Every change is published to the workers and logged.
final class BackendWatch: TimerHandler {
    /// What a new configuration keeps of an endpoint.
    struct Memory {
        var health: EndpointHealth
        var since: MonotonicInstant
    }

    let backend: Backend
    /// The endpoints of `backend`.
    let endpoints: [Endpoint]

    private let log: Log
    private let loop: EventLoop
    private let cameUp: (Backend) -> Void
    private var health: BackendHealth
    private var since: [MonotonicInstant]
    private var timer: EventLoop.TimerID?
    /// The time that the timer is set for.
    private var deadline: Duration?

    /// - Parameter cameUp: called when an endpoint comes up.
    init(
        _ backend: Backend, log: Log, loop: EventLoop, remembering memories: (Endpoint) -> Memory?,
        cameUp: @escaping (Backend) -> Void
    ) {
        let settings = backend.settings
        let rules = EndpointHealth.Rules(
            checks: settings.health.map { .init(rise: $0.rise, fall: $0.fall) },
            ejection: settings.eject.map { .init(failures: $0.failures, duration: $0.duration) })
        self.backend = backend
        self.endpoints = backend.endpoints
        self.log = log
        self.loop = loop
        self.cameUp = cameUp
        let known = self.endpoints.map { memories($0) }
        self.health = BackendHealth(known.map { $0?.health ?? EndpointHealth(rules) })
        self.since = known.map { $0?.since ?? .now() }
        for (index, endpoint) in self.endpoints.enumerated() {
            endpoint.failureLimit.store(settings.eject?.failures ?? 0, ordering: .relaxed)
            self.update(index) { $0.apply(rules) }
        }
    }

    func memory(of index: Int) -> Memory {
        Memory(health: self.health.endpoints[index], since: self.since[index])
    }

    /// Stops watching.
    func stop() { self.loop.cancelTimer(&self.timer) }

    // MARK: - What happens

    func checked(_ index: Int, _ result: HealthCheck.Result) {
        if self.log.takes(.debug, "health-check") { self.logCheck(index, result) }
        switch result {
        case .passed: self.update(index) { $0.checkPassed() }
        case .failed(let reason): self.update(index) { $0.checkFailed(reason) }
        case .skipped: break
        }
    }

    func failed(_ index: Int, because reason: String) {
        let count = self.endpoints[index].takeReport()
        let now = self.time
        self.update(index) { $0.failed(inARow: count, because: reason, at: now) }
    }

    func succeeded(_ index: Int) { self.update(index) { $0.succeeded() } }

    func lookAtHeartbeats(_ index: Int) {
        let endpoint = self.endpoints[index]
        let late = endpoint.missing.load(ordering: .relaxed)
        let sessions = endpoint.sessions.load(ordering: .relaxed)
        self.update(index) { $0.heartbeats(late: late, of: sessions) }
    }

    func follow(_ index: Int, _ order: EndpointHealth.Order) { self.update(index) { $0.follow(order) } }

    func undrain(_ index: Int) {
        if self.health.endpoints[index].order == .drain { self.follow(index, .up) }
    }

    func timerFired() {
        self.timer = nil
        self.publish(self.health.timePassed(to: self.time))
    }

    /// The time since the clock's zero. `EndpointHealth` compares such times and needs no clock.
    private var time: Duration { .now() - MonotonicInstant(nanoseconds: 0) }

    private func update(_ index: Int, _ input: (inout EndpointHealth) -> EndpointHealth.Change?) {
        self.publish(self.health.update(index, input))
    }

    // MARK: - What others see

    private func publish(_ changes: [Int: EndpointHealth.Change]) {
        for (index, change) in changes.sorted(by: { $0.key < $1.key }) {
            let endpoint = self.endpoints[index]
            let now = MonotonicInstant.now()
            self.since[index] = now
            endpoint.publish(change.to, at: now)
            self.logChange(index, change)
            if change.to == .up { self.cameUp(self.backend) }
        }
        guard self.health.deadline != self.deadline || self.timer == nil else { return }
        self.deadline = self.health.deadline
        if let deadline = self.deadline {
            self.loop.setTimer(&self.timer, at: MonotonicInstant(nanoseconds: 0) + deadline, self)
        } else {
            self.loop.cancelTimer(&self.timer)
        }
    }

    private func logChange(_ index: Int, _ change: EndpointHealth.Change) {
        // What an operator ordered is no trouble.
        let isTrouble = change.to == .down && self.health.endpoints[index].order != .down
        var record = LogRecord(isTrouble ? .warning : .info, "health")
        record.add("backend", self.backend.name)
        record.add("endpoint", self.endpoints[index].name)
        record.add("from", change.from.name)
        record.add("to", change.to.name)
        record.add("reason", change.reason)
        self.log.write(record)
    }

    private func logCheck(_ index: Int, _ result: HealthCheck.Result) {
        var record = LogRecord(.debug, "health-check")
        record.add("backend", self.backend.name)
        record.add("endpoint", self.endpoints[index].name)
        switch result {
        case .passed(let time):
            record.add("result", "passed")
            record.add("duration", seconds: time.secondsAsDouble)
        case .failed(let reason):
            record.add("result", "failed")
            record.add("reason", reason)
        case .skipped(let reason):
            record.add("result", "skipped")
            record.add("reason", reason)
        }
        self.log.write(record)
    }

    /// Whether something would notice that an endpoint does not answer.
    private var isChecked: Bool { self.backend.settings.health != nil || self.backend.settings.eject != nil }

    /// The endpoints, as operators see them.
    var rows: [BackendRow.EndpointRow] {
        let now = MonotonicInstant.now()
        return self.endpoints.indices.map { index in
            let (endpoint, health) = (self.endpoints[index], self.health.endpoints[index])
            let share = self.backend.shares[index]
            return BackendRow.EndpointRow(
                name: endpoint.name, state: health.state.name, order: health.order.name, reason: health.reason,
                since: now - self.since[index], sessions: endpoint.sessions.load(ordering: .relaxed),
                weight: share.weight, isBackup: share.isBackup, isChecked: self.isChecked)
        }
    }
}

extension EndpointHealth.State {
    /// The word in the log and at the admin address.
    var name: String {
        switch self {
        case .up: "up"
        case .down: "down"
        case .draining, .reserved: "draining"
        }
    }
}

extension EndpointHealth.Order {
    /// The word at the admin address.
    var name: String {
        switch self {
        case .up: "up"
        case .reserve, .drain: "drain"
        case .down: "down"
        }
    }
}
