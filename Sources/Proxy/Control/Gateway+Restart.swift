internal import Configuration
internal import EventLoop

/// A restart without a gap: another process takes the listening sockets, and this one drains.
extension Gateway {
    /// Waits for a successor from now on.
    func openForTakeover() {
        guard let plan = self.restart else { return }
        do throws(SystemError) {
            self.takeover = try TakeoverServer(
                name: plan.name, taken: self.inherited.taken, loop: self.loop, log: self.log,
                sockets: { [unowned self] in
                    self.listeners.listeners.map { ($0.configured.description, $0.sockets.flatMap { $0 }) }
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
        do throws(SystemError) {
            let process = try OwnProcess.start(plan.program, plan.arguments)
            var record = LogRecord(.info, "successor-started")
            record.add("process", Int(process))
            self.log.write(record)
        } catch {
            self.log.write(.error, "takeover-failed", reason: "\(plan.program): \(error)")
        }
    }

    /// The successor serves: what waits to be accepted is its, and our sessions are closed in good time.
    private func release(_ release: TakeoverServer.Release) {
        self.service.mainProcess(release.successor)
        self.service.stopWatching()
        let adopted = self.listeners.listeners.filter { release.adopted.contains($0.configured.description) }
        self.adopted = Set(adopted.map(\.id))
        self.whenReleased()
        guard self.state == .serving else { return }
        self.beginDraining()
        self.closeEverything(leaving: self.adopted, opening: .finished)
    }
}
