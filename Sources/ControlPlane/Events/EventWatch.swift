internal import Observability
internal import System

/// Tells a listener what happens in the gateway, and each second what was counted. Without a listener no worker is asked.
final class EventWatch {
    private enum State {
        case idle
        case listening(tell: (GatewayEvent) -> Void, summaries: ControlTimer)
    }

    /// The time between two summaries.
    private static let interval = Duration.seconds(1)

    private let feed: EventFeed
    private let survey: Survey
    private let loop: EventLoop
    private var state = State.idle

    init(_ log: Log, _ survey: Survey, _ loop: EventLoop) throws(SystemError) {
        self.feed = log.feed
        self.survey = survey
        self.loop = loop
        try self.feed.open(on: loop) { [unowned self] in self.tell(.logged($0)) }
    }

    /// Calls `tell` from now on, until `stop`.
    func listen(_ tell: @escaping (GatewayEvent) -> Void) {
        self.stop()
        _ = self.feed.takeSkipped()
        let meter = ActivityMeter(self.survey, from: nil)
        meter.look { _ in }
        let summaries = ControlTimer(self.loop, every: Self.interval) { [unowned self] in
            self.tellSkipped()
            meter.look { [weak self] in self?.tell(.summary($0)) }
        }
        self.state = .listening(tell: tell, summaries: summaries)
        self.feed.listens = true
    }

    /// Tells nothing any more.
    func stop() {
        guard case .listening(_, let summaries) = self.state else { return }
        self.state = .idle
        self.feed.listens = false
        summaries.cancel()
    }

    private func tell(_ event: GatewayEvent) {
        if case .listening(let tell, _) = self.state { tell(event) }
    }

    private func tellSkipped() {
        let count = self.feed.takeSkipped()
        if count > 0 { self.tell(.skipped(count)) }
    }
}
