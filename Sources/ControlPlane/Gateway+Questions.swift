internal import Configuration
public import DataPlane
public import Observability
public import Sessions
public import System
internal import WebSocketProtocol

/// What an operator wants to know and to have done. Answers come on the control thread; what workers have to be asked for comes later.
/// Where there may be thousands of something, the answer is a function that makes it, on any thread (`aside`).
extension Gateway {
    public var readiness: GatewayReadiness {
        guard self.drainer.isServing else { return .draining }
        return self.serving.listeners.listeners.isEmpty ? .noListener : .ready
    }

    // MARK: - Sessions

    public func sessions(answer: @escaping (@escaping @Sendable () -> [SessionRow]) -> Void) {
        self.survey.ask {
            $0.rows
        } then: { rows in
            answer { rows.flatMap { $0 } }
        }
    }

    /// Closes a session. The answer is whether there is one of that id.
    public func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void) {
        let id = id.description
        self.survey.ask {
            $0.close(id: id, CloseCode(rawValue: code), reason: reason)
        } then: { answers in
            answer(answers.contains(true))
        }
    }

    // MARK: - Backends and metrics

    public func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void) {
        self.count { counts in answer { counts.rows } }
    }

    public func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void) {
        self.count { [unowned self] counts in
            let (control, dropped, version) = (self.reloader.counted, self.log.droppedLines, self.version)
            answer { counts.families(control: control, droppedLines: dropped, version: version) }
        }
    }

    public func aside<Value: Sendable>(
        _ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) {
        self.sideWork.make(make, then: then)
    }

    /// What all workers have counted, and how the endpoints are.
    private func count(then: @escaping (GatewayCounts) -> Void) {
        self.survey.ask {
            $0.counts
        } then: { [unowned self] snapshots in
            let (active, inMailboxes) = (self.serving.configuration, self.fleet.memory.inMailboxes)
            self.health.report { reports in
                then(GatewayCounts(active, snapshots, inMailboxes: inMailboxes, backends: reports))
            }
        }
    }

    // MARK: - Reload and drain

    public func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        self.reloader.reload(dryRun: dryRun, answer: answer)
    }

    /// - Parameter undo: give the endpoints new sessions again.
    public func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void) {
        let configuration = self.serving.configuration
        switch selection {
        case .process:
            // The operator hears of it before the process can end.
            answer(.draining(sessions: self.fleet.sessions))
            if self.drainer.isServing { self.drain(because: "admin") }
        case .backend(let name):
            guard let backend = configuration.backend(named: name) else {
                return answer(.unknown("there is no backend \(name)"))
            }
            guard !backend.endpoints.isEmpty else {
                return answer(.unknown("\(name) is a built-in service, which has no endpoints to drain"))
            }
            self.drain(backend.endpoints, .ofBackend(name), undo: undo, answer)
        case .endpoint(let name, let endpointName):
            guard let endpoint = configuration.backend(named: name)?.endpoint(named: endpointName) else {
                return answer(.unknown("there is no endpoint \(endpointName) of a backend \(name)"))
            }
            self.drain([endpoint], .ofEndpoint(endpoint), undo: undo, answer)
        }
    }

    private func drain(
        _ endpoints: [Endpoint], _ selection: SessionSelection, undo: Bool, _ answer: @escaping (DrainOutcome) -> Void
    ) {
        for endpoint in endpoints { if undo { self.health.undrain(endpoint) } else { self.health.drain(endpoint) } }
        guard !undo else { return answer(.undrained) }
        self.drainer.close(selection) { answer(.draining(sessions: $0)) }
    }

    // MARK: - The admin address

    public func logAdminFailed(_ error: StartError) { self.log.write(.error, "admin-failed", reason: "\(error)") }

    /// Says where the admin address is: its port may be the system's choice.
    public func logAdmin(_ address: SocketAddress) {
        var record = LogRecord(.info, "admin")
        record.add("address", address.description)
        self.log.write(record)
    }
}
