internal import Configuration
internal import Connections
internal import DataPlane
internal import System
internal import TLS

/// When one endpoint is checked: once in every interval, one check at a time.
final class CheckSchedule: TimerHandler {
    /// How the endpoints of a backend are checked. If a reload does not change it, their schedules go on.
    struct Plan: Equatable {
        var settings: BackendSettings.HealthCheck
        var source: SocketAddress?
        /// What each connection begins with (`Backend.preface`).
        var preface: [UInt8] = []
        var tls: TLSClientSettings?
        /// The name that TLS sends and verifies, if it is not the endpoint's host.
        var serverName: String?
    }

    struct Counts: Sendable {
        var passed: UInt64 = 0
        var failed: UInt64 = 0
        var skipped: UInt64 = 0
    }

    /// What is remembered of a check.
    struct Last {
        var at: MonotonicInstant
        /// How long it took; `nil`: it failed.
        var time: Duration?
    }

    let plan: Plan
    private(set) var counts = Counts()
    /// The last check that gave an answer.
    private(set) var last: Last?

    private let subject: HealthCheck.Subject
    private let means: HealthCheck.Means
    private let report: (HealthCheck.Result) -> Void
    private var check: HealthCheck?
    private var next = MonotonicInstant.now()
    private var timer: EventLoop.TimerID?

    /// - Parameters:
    /// - context: the TLS of `plan`.
    /// - report: gets the result of every check.
    init(
        _ endpoint: Endpoint, _ plan: Plan, _ context: TLSClientContext?, _ means: HealthCheck.Means,
        report: @escaping (HealthCheck.Result) -> Void
    ) {
        self.plan = plan
        self.subject = HealthCheck.Subject(
            endpoint: endpoint, settings: plan.settings, source: plan.source, preface: plan.preface,
            tls: endpoint.usesTLS ? context : nil, serverName: plan.serverName ?? endpoint.hostName)
        self.means = means
        self.report = report
    }

    /// - Parameter share: the part of the interval that passes before the first check, from 0 to 1. It differs, so that endpoints are not
    ///   all checked at once.
    func start(after share: Double) {
        self.means.context.loop.setTimer(&self.timer, at: .now() + self.plan.settings.interval * share, self)
    }

    func stop() {
        self.means.context.loop.cancelTimer(&self.timer)
        self.check?.cancel()
        self.check = nil
    }

    func timerFired() {
        self.timer = nil
        // From start to start, and never longer than the interval: operators compute from it how soon an endpoint that fails is down.
        self.next = .now() + self.plan.settings.interval * Double.random(in: 0.9...1)
        let check = HealthCheck(self.subject, self.means, owner: self)
        self.check = check
        check.start()
    }

    // MARK: - What the check says

    func checked(_ result: HealthCheck.Result) {
        switch result {
        case .passed(let time):
            self.counts.passed += 1
            self.last = Last(at: .now(), time: time)
        case .failed:
            self.counts.failed += 1
            self.last = Last(at: .now(), time: nil)
        case .skipped: self.counts.skipped += 1
        }
        self.report(result)
    }

    func checkEnded() {
        self.check = nil
        self.means.context.loop.setTimer(&self.timer, at: max(self.next, .now()), self)
    }
}
