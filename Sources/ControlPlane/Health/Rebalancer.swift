internal import Balancing
internal import Configuration
internal import DataPlane
internal import Observability
internal import Synchronization
internal import System

/// Moves sessions to endpoints that came up: closes sessions of endpoints that have more than their share, a few per second, until the
/// difference is within bounds. Their clients reconnect, and the balance leads them to other endpoints.
final class Rebalancer {
    private let loop: EventLoop
    private let fleet: Fleet
    private let log: Log
    /// Backends that are not balanced yet, by name. All of them have `rebalance`.
    private var active: [String: Backend] = [:]
    /// The number of closes that are due, by backend, with a fraction.
    private var credit: [String: Double] = [:]
    private var timer: ControlTimer?

    private static let tick = Duration.milliseconds(100)

    init(_ loop: EventLoop, _ fleet: Fleet, _ log: Log) {
        self.loop = loop
        self.fleet = fleet
        self.log = log
    }

    /// An endpoint of `backend` came up or is new.
    func begin(_ backend: Backend) {
        guard backend.settings.rebalance != nil, self.active[backend.name] == nil else { return }
        self.active[backend.name] = backend
        self.credit[backend.name] = 0
        if self.timer == nil {
            self.timer = ControlTimer(self.loop, every: Self.tick) { [unowned self] in self.move() }
        }
    }

    /// Another configuration is in force. Endpoints that are new in it count as having come up.
    func take(_ next: ActiveConfiguration, insteadOf before: ActiveConfiguration) {
        for name in self.active.keys {
            self.active[name] = next.backend(named: name).flatMap { $0.settings.rebalance == nil ? nil : $0 }
        }
        for backend in next.backends {
            guard let old = before.backend(named: backend.name) else { continue }
            if backend.endpoints.contains(where: { !old.has($0) }) { self.begin(backend) }
        }
    }

    func stop() {
        self.timer?.cancel()
        self.timer = nil
        self.active = [:]
    }

    private func move() {
        for (name, backend) in self.active {
            guard let rate = backend.settings.rebalance?.rate, let endpoint = self.mostLoaded(of: backend) else {
                self.active[name] = nil
                self.logDone(backend)
                continue
            }
            self.credit[name, default: 0] += rate * Self.tick.secondsAsDouble
            // The rate may demand several closes per tick, but the endpoint keeps its share.
            let due = Int(self.credit[name, default: 0])
            self.credit[name, default: 0] -= Double(due)
            for _ in 0..<min(due, endpoint.surplus) { self.closeOne(of: endpoint.endpoint) }
        }
        if self.active.isEmpty { self.stop() }
    }

    /// Closes one session of the endpoint. The control thread does not know which worker has one, so it picks one by the number of all
    /// its sessions. If that worker has none, the next tick tries again.
    private func closeOne(of endpoint: Endpoint) {
        let loads = self.fleet.members.map { $0.sessions.load(ordering: .relaxed) }
        let total = loads.reduce(0, +)
        guard total > 0 else { return }
        var draw = Int.random(in: 0..<total)
        for (member, load) in zip(self.fleet.members, loads) {
            draw -= load
            guard draw < 0 else { continue }
            return member.mailbox.send(.rebalance(endpoint))
        }
    }

    /// The endpoint that is furthest above its share; `nil` if all are within bounds.
    private func mostLoaded(of backend: Backend) -> (endpoint: Endpoint, surplus: Int)? {
        let up = backend.endpoints.indices.filter { backend.endpoints[$0].isAvailable && !backend.shares[$0].isBackup }
        let surplus = Rebalance.surplus(
            sessions: up.map { backend.endpoints[$0].sessions.load(ordering: .relaxed) },
            weights: up.map { Double(backend.shares[$0].weight) })
        guard let most = surplus.indices.max(by: { surplus[$0] < surplus[$1] }), surplus[most] > 0 else { return nil }
        return (backend.endpoints[up[most]], surplus[most])
    }

    private func logDone(_ backend: Backend) {
        var record = LogRecord(.info, "rebalanced")
        record.add("backend", backend.name)
        self.log.write(record)
    }
}
