internal import Balancing
internal import Configuration
internal import Connections
internal import DataPlane
internal import Observability
internal import ProxyProtocol
internal import System
internal import TLS

/// The health of every endpoint, on the control thread: makes the active checks of the configuration, takes reports of sessions into
/// account, and publishes each endpoint's state.
///
/// An endpoint is an object. If a new configuration keeps the object, its health is kept too.
final class HealthChecks {
    /// How often the heartbeats of live sessions are counted.
    private static let heartbeatInterval = Duration.seconds(1)

    private struct Place {
        var watch: BackendWatch
        var index: Int
    }

    private let log: Log
    private let loop: EventLoop
    private let means: HealthCheck.Means
    private let cameUp: (Backend) -> Void
    /// One for each backend, in the order of the configuration.
    private var watches: [BackendWatch] = []
    private var places: [ObjectIdentifier: Place] = [:]
    private var schedules: [ObjectIdentifier: CheckSchedule] = [:]
    private var heartbeats: ControlTimer?

    /// - Parameters:
    /// - unreachable: called with an endpoint if none of its addresses can be connected to.
    /// - cameUp: called with a backend when one of its endpoints comes up.
    init(
        log: Log, loop: EventLoop, unreachable: @escaping (Endpoint) -> Void = { _ in },
        cameUp: @escaping (Backend) -> Void
    ) {
        self.log = log
        self.loop = loop
        self.cameUp = cameUp
        self.means = HealthCheck.Means(loop, unreachable: unreachable)
    }

    /// Watches the endpoints of a configuration from now on, and no others.
    ///
    /// - Throws: libssl's error with the settings for TLS. Then nothing has changed.
    public func take(_ active: ActiveConfiguration) throws(TLSError) {
        let contexts = try TLSClientContext.shared(active.clientTLS.map(Self.settings), io: self.means.context.tlsIO)
        let before = self.places
        for watch in self.watches { watch.stop() }
        self.watches = active.backends.map { backend in
            BackendWatch(
                backend, log: self.log, loop: self.loop,
                remembering: { endpoint in
                    before[ObjectIdentifier(endpoint)].map { $0.watch.memory(of: $0.index) }
                }, cameUp: self.cameUp)
        }
        self.places = [:]
        for watch in self.watches {
            for (index, endpoint) in watch.endpoints.enumerated() {
                self.places[ObjectIdentifier(endpoint)] = Place(watch: watch, index: index)
            }
        }
        self.schedule(active, contexts)
        self.heartbeats =
            self.heartbeats
            ?? ControlTimer(self.loop, every: Self.heartbeatInterval) { [unowned self] in
                for watch in self.watches { for index in watch.endpoints.indices { watch.lookAtHeartbeats(index) } }
            }
    }

    /// Checks do not resume TLS sessions: each must see the certificate that the endpoint has now.
    private static func settings(_ settings: TLSClientSettings?) -> TLSClientSettings? {
        var settings = settings
        settings?.resume = false
        return settings
    }

    private func schedule(_ active: ActiveConfiguration, _ contexts: [TLSClientContext?]) {
        var before = self.schedules
        self.schedules = [:]
        var new: [CheckSchedule] = []
        for backend in active.backends {
            guard let settings = backend.settings.health else { continue }
            let plan = CheckSchedule.Plan(
                settings: settings, source: backend.source, preface: backend.preface(.local),
                tls: active.clientTLS[backend.index],
                serverName: backend.settings.tls.serverName)
            for endpoint in backend.endpoints {
                let id = ObjectIdentifier(endpoint)
                if let schedule = before[id], schedule.plan == plan {
                    before[id] = nil
                    self.schedules[id] = schedule
                } else {
                    let schedule = CheckSchedule(endpoint, plan, contexts[backend.index], self.means) {
                        [unowned self] in
                        if let place = self.places[id] { place.watch.checked(place.index, $0) }
                    }
                    new.append(schedule)
                    self.schedules[id] = schedule
                }
            }
        }
        for schedule in before.values { schedule.stop() }
        for (index, schedule) in new.enumerated() {
            schedule.start(after: (Double(index) + .random(in: 0..<1)) / Double(new.count))
        }
    }

    /// Ends every check.
    func stop() {
        self.heartbeats?.cancel()
        for watch in self.watches { watch.stop() }
        for schedule in self.schedules.values { schedule.stop() }
        self.schedules = [:]
    }

    // MARK: - What workers and operators say

    /// Sessions failed to open. An endpoint that is no longer configured is ignored, here and below.
    func failed(_ endpoint: Endpoint, because reason: String) {
        if let place = self.place(of: endpoint) { place.watch.failed(place.index, because: reason) }
    }

    /// A session opened after failures.
    func succeeded(_ endpoint: Endpoint) {
        if let place = self.place(of: endpoint) { place.watch.succeeded(place.index) }
    }

    /// An operator's order, until the next one.
    func follow(_ order: EndpointHealth.Order, _ endpoint: Endpoint) {
        if let place = self.place(of: endpoint) { place.watch.follow(place.index, order) }
    }

    /// Takes a drain back. Another order stays.
    func undrain(_ endpoint: Endpoint) {
        if let place = self.place(of: endpoint) { place.watch.undrain(place.index) }
    }

    private func place(of endpoint: Endpoint) -> Place? { self.places[ObjectIdentifier(endpoint)] }

    // MARK: - What others see

    /// Reports the state of all endpoints, in portions.
    ///
    /// - Parameter then: gets one report for each backend, in the order of the configuration.
    func report(then: @escaping ([BackendReport]) -> Void) {
        let (watches, schedules) = (self.watches, self.schedules)
        var reports: [BackendReport] = []
        reports.reserveCapacity(watches.count)
        Portions.go(on: self.loop) {
            guard reports.count < watches.count else { return nil }
            let watch = watches[reports.count]
            let checks = watch.endpoints.map { schedules[ObjectIdentifier($0)] }
            var rows = watch.rows
            for (index, check) in checks.enumerated() {
                rows[index].lastCheck = check?.last.map { .now() - $0.at }
                rows[index].checkTime = check?.last?.time
            }
            reports.append(BackendReport(backend: watch.backend, endpoints: rows, checks: checks.map(\.?.counts)))
            return 1 + checks.count
        } then: {
            then(reports)
        }
    }
}
