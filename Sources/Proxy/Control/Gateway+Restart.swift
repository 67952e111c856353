internal import Configuration
internal import Observability
internal import System
internal import Takeover

/// A restart without a gap: another process takes the listening sockets, and this one drains.
extension Gateway {
    /// Whether this process took the place of another.
    package var tookOver: Bool { self.inherited.taken.predecessor != nil }

    /// Waits for a successor from now on.
    func openForTakeover() {
        guard let plan = self.restart else { return }
        do throws(SystemError) {
            self.takeover = try TakeoverServer(
                name: plan.name, taken: self.inherited.taken, loop: self.loop, log: self.log,
                sockets: { [unowned self] in
                    self.listeners.listeners.map { ($0.configured.offeredName, $0.sockets.flatMap { $0 }) }
                }, released: { [unowned self] in self.release($0) })
        } catch {
            // Another gateway runs with this very file. Both serve, but only one can be taken over from.
            self.log.write(.warning, "takeover-unavailable", reason: "\(error)")
        }
    }

    /// Starts our successor: the program that is now where ours was.
    func startSuccessor() {
        guard self.state == .serving, let plan = self.restart else {
            return self.log.write(.warning, "takeover-failed", reason: "there is no configuration file to start with")
        }
        switch self.successor.state {
        case .none: self.successor.start(plan) { [unowned self] in self.happened($0) }
        case .starting: self.log.write(.warning, "takeover-failed", reason: "a successor is being started already")
        case .running(let process):
            self.log.write(
                .warning, "takeover-failed", reason: "a successor, process \(process), does not serve yet")
        }
    }

    private func happened(_ event: SuccessorProcess.Event) {
        switch event {
        case .started(let process):
            var record = LogRecord(.info, "successor-started")
            record.add("process", Int(process))
            self.log.write(record)
        case .failed(let error):
            self.log.write(.error, "takeover-failed", reason: "\(self.restart?.program ?? ""): \(error)")
        case .ended(let process, let end):
            // Once it has taken over, its end is no failure of ours to start it, but nobody serves any more.
            var record = LogRecord(.error, self.state == .serving ? "takeover-failed" : "successor-ended")
            record.add("successor", process)
            switch end {
            case .exited(let status): record.add("status", status)
            case .killed(let signal): record.add("signal", signal)
            case .unknown: break
            }
            record.add("reason", "the successor \(end)" + (self.state == .serving ? " before it served" : ""))
            self.log.write(record)
        }
    }

    /// The successor serves: what waits to be accepted is its, and our sessions are closed in good time.
    private func release(_ release: TakeoverServer.Release) {
        self.supervisor.mainProcess(release.successor)
        self.supervisor.stopWatching()
        let adopted = self.listeners.listeners.filter { release.adopted.contains($0.configured.offeredName) }
        self.adopted = Set(adopted.map(\.id))
        self.whenReleased()
        guard self.state == .serving else { return }
        self.beginDraining(because: "takeover")
        self.closeEverything(leaving: self.adopted, opening: .finished)
    }
}
