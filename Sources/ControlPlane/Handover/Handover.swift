internal import Configuration
internal import DataPlane
internal import Observability
internal import System
internal import Takeover

/// A restart without a gap: another process takes the listening sockets, and this one drains. On the control thread.
final class Handover {
    private enum State {
        /// This process does not wait for a successor.
        case closed
        /// This process waits for a successor.
        case waiting(TakeoverServer)
        /// A successor serves.
        ///
        /// - Parameter adopted: the ids of listeners that it has too.
        case released(adopted: Set<Int>)
    }

    private let plan: RestartPlan?
    private let serving: Serving
    private let drainer: Drainer
    private let successor: SuccessorProcess
    private let loop: EventLoop
    private let log: Log
    private let revoked: () -> [(subject: String, seconds: Int)]
    private let released: (_ successor: Int32) -> Void
    private var state = State.closed

    /// - Parameters:
    /// - plan: `nil` if there is no configuration file by which another process could find this one.
    /// - revoked: the subjects that are kept out, for a successor.
    /// - released: called with the process id of a successor that serves.
    init(
        _ plan: RestartPlan?, _ serving: Serving, _ drainer: Drainer, _ loop: EventLoop, _ log: Log,
        revoked: @escaping () -> [(subject: String, seconds: Int)],
        released: @escaping (_ successor: Int32) -> Void
    ) throws(SystemError) {
        self.plan = plan
        self.serving = serving
        self.drainer = drainer
        self.successor = try SuccessorProcess(on: loop)
        self.loop = loop
        self.log = log
        self.revoked = revoked
        self.released = released
    }

    /// The ids of listeners that the successor has too.
    var adopted: Set<Int> {
        if case .released(let adopted) = self.state { adopted } else { [] }
    }

    /// Starts to wait for a successor.
    ///
    /// - Parameter taken: the sockets that this process took over itself.
    func open(_ taken: TakenSockets) {
        guard let plan = self.plan else { return }
        do throws(SystemError) {
            self.state = .waiting(
                try TakeoverServer(
                    name: plan.name, taken: taken, loop: self.loop, log: self.log,
                    sockets: { [unowned self] in
                        self.serving.listeners.listeners.map { ($0.configured.offeredName, $0.sockets.flatMap { $0 }) }
                    }, revoked: self.revoked, released: { [unowned self] in self.release($0) }))
        } catch {
            // Another gateway runs with this file. Both serve, but only the other one can be taken over from.
            self.log.write(.warning, "takeover-unavailable", reason: "\(error)")
        }
    }

    /// Stops waiting for a successor.
    func close() {
        guard case .waiting(let server) = self.state else { return }
        self.state = .closed
        server.close()
    }

    /// Starts a successor: the program that is now at the path of ours.
    func start() {
        guard let plan = self.plan else { return self.refuse("there is no configuration file to start with") }
        guard self.drainer.isServing else { return self.refuse("the gateway is draining") }
        switch self.successor.state {
        case .none: self.successor.start(plan) { [unowned self] in self.happened($0) }
        case .starting: self.refuse("a successor is being started already")
        case .running(let process): self.refuse("a successor, process \(process), does not serve yet")
        }
    }

    private func refuse(_ reason: String) { self.log.write(.warning, "takeover-failed", reason: reason) }

    /// Call this on SIGCHLD.
    func childEnded() { self.successor.look() }

    private func happened(_ event: SuccessorProcess.Event) {
        switch event {
        case .started(let process):
            var record = LogRecord(.info, "successor-started")
            record.add("process", Int(process))
            self.log.write(record)
        case .failed(let error):
            self.log.write(.error, "takeover-failed", reason: "\(self.plan?.program ?? ""): \(error)")
        case .ended(let process, let end):
            // If the successor has taken over, its end is not a failed start; but then no process serves.
            let isServing = self.drainer.isServing
            var record = LogRecord(.error, isServing ? "takeover-failed" : "successor-ended")
            record.add("successor", process)
            switch end {
            case .exited(let status): record.add("status", status)
            case .killed(let signal): record.add("signal", signal)
            case .unknown: break
            }
            record.add("reason", "the successor \(end)" + (isServing ? " before it served" : ""))
            self.log.write(record)
        }
    }

    /// The successor serves. It accepts the connections that wait, and this process drains.
    private func release(_ release: TakeoverServer.Release) {
        guard case .waiting = self.state else { return }
        let adopted = self.serving.listeners.listeners.filter { release.adopted.contains($0.configured.offeredName) }
        self.state = .released(adopted: Set(adopted.map(\.id)))
        self.released(release.successor)
        self.drainer.handOver(leaving: self.adopted)
    }
}
