internal import Balancing
internal import Configuration
internal import Observability
internal import Sessions
internal import System
internal import Takeover

/// Closing many sessions gently: all of them before the process ends, those of an endpoint, those that a reload has no place for.
extension Gateway {
    // MARK: - The whole process

    /// Ends the process: it says that it is not ready, accepts no more after `drain.delay`, and closes the sessions over
    /// `drain.over`.
    ///
    /// - Parameter reason: who wants it, for the log.
    func drain(because reason: String) {
        self.takeover?.close()
        self.supervisor.stopping("draining")
        self.beginDraining(because: reason)
        let delay = self.active.settings.drain.delay
        guard delay > .zero else { return self.closeEverything(leaving: [], opening: .refused) }
        self.timers.drain = ControlTimer(self.loop, once: delay) { [unowned self] in
            self.closeEverything(leaving: [], opening: .refused)
        }
    }

    /// The least time that the last session to be told has for all that is left.
    private static let leastForLast = Duration.seconds(10)

    /// There will be no new sessions, and a line a second says how many are left.
    func beginDraining(because reason: String) {
        self.state = .draining
        self.logProgress(reason)
        self.timers.progress = ControlTimer(self.loop, every: .seconds(1)) { [unowned self] in
            self.logProgress(reason)
        }
    }

    /// - Parameter leaving: what waits to be accepted at these listeners is for another process.
    func closeEverything(leaving: Set<Int>, opening: DrainOrder.Opening) {
        self.fleet.tell(.stopAccepting(leaving: leaving))
        self.drain(.all, cause: .drain, opening: opening) { [unowned self] _, pace in
            // What is not delivered by then is given up.
            let over = self.active.settings.drain.over
            var limit = pace.end + max(over, Self.leastForLast)
            // Who is still being opened is closed after that.
            if case .finished = opening { limit += self.active.longestHandshake }
            self.timers.drain = ControlTimer(self.loop, once: limit) { [unowned self] in self.stop() }
        }
    }

    private func logProgress(_ reason: String) {
        var record = LogRecord(.info, "draining")
        record.add("reason", reason)
        record.add("sessions", self.fleet.sessions)
        self.log.write(record)
    }

    // MARK: - Some sessions

    /// Closes sessions, spread as `drain` says.
    ///
    /// - Parameter then: gets their number, and when they will have been told.
    func drain(
        _ selection: SessionSelection, cause: Cause, opening: DrainOrder.Opening = .finished,
        then: @escaping (_ sessions: Int, ClosingPace) -> Void
    ) {
        let settings = self.active.settings.drain
        self.survey.count(selection) { [unowned self] counts in
            let total = counts.reduce(0, +)
            let pace = ClosingPace(count: total, over: settings.over, rate: settings.rate)
            var random = SystemRandomNumberGenerator()
            let slots = ClosingPace.deal(counts, using: &random)
            for (member, slots) in zip(self.fleet.members, slots) {
                let times = slots.map { pace.time(ofSlot: $0, jitter: .random(in: 0..<1)) }
                member.mailbox.send(.drain(selection, DrainOrder(cause: cause, times: times, opening: opening)))
            }
            then(total, pace)
        }
    }
}
