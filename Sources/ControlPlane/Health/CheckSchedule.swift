internal import Configuration
internal import Connections
internal import DataPlane
internal import System
internal import TLS

/// When one endpoint is checked: at every interval, one check at a time.
final class CheckSchedule: TimerHandler {
    /// How a backend's endpoints are checked. Where that did not change, a reload leaves their schedules alone.
    struct Plan: Equatable {
        var settings: HealthCheckSettings
        var source: SocketAddress?
        var tls: TLSClientSettings?
        /// What TLS is to send and verify in place of the endpoint's host.
        var serverName: String?
    }

    struct Counts: Sendable {
        var passed: UInt64 = 0
        var failed: UInt64 = 0
        var skipped: UInt64 = 0
    }

    let plan: Plan
    private(set) var counts = Counts()

    private let subject: HealthCheck.Subject
    private let means: HealthCheck.Means
    private let report: (HealthCheck.Result) -> Void
    private var check: HealthCheck?
    private var next = MonotonicInstant.now()
    private var timer: EventLoop.TimerID?

    /// - Parameters:
    ///   - context: for the plan's TLS.
    ///   - report: hears of every result.
    init(
        _ endpoint: Endpoint, _ plan: Plan, _ context: TLSClientContext?, _ means: HealthCheck.Means,
        report: @escaping (HealthCheck.Result) -> Void
    ) {
        self.plan = plan
        self.subject = HealthCheck.Subject(
            endpoint: endpoint, settings: plan.settings, source: plan.source,
            tls: endpoint.usesTLS ? context : nil, serverName: plan.serverName ?? endpoint.hostName)
        self.means = means
        self.report = report
    }

    /// - Parameter share: from 0 to 1, which part of the interval goes by before the first check: endpoints that begin together
    ///   are not checked together.
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
        // Never later than the interval, from start to start, so that an endpoint that fails is down when one expects it.
        self.next = .now() + self.plan.settings.interval * Double.random(in: 0.9...1)
        let check = HealthCheck(self.subject, self.means, owner: self)
        self.check = check
        check.start()
    }

    // MARK: - What the check says

    func checked(_ result: HealthCheck.Result) {
        switch result {
        case .passed: self.counts.passed += 1
        case .failed: self.counts.failed += 1
        case .skipped: self.counts.skipped += 1
        }
        self.report(result)
    }

    func checkEnded() {
        self.check = nil
        self.means.context.loop.setTimer(&self.timer, at: max(self.next, .now()), self)
    }
}
