internal import Configuration
package import Observability
package import Sessions
package import System
internal import WebSocketProtocol

/// What an operator wants to know and to have done. Answers come on the control thread; what workers have to be asked for comes later.
/// Where there may be thousands of something, the answer is what makes it, on whatever thread (`aside`).
extension Gateway {
    package var readiness: GatewayReadiness {
        switch self.state {
        case .serving: self.listeners.listeners.isEmpty ? .noListener : .ready
        case .draining, .stopped: .draining
        }
    }

    // MARK: - Sessions

    package func sessions(answer: @escaping (@escaping @Sendable () -> [SessionRow]) -> Void) {
        self.survey.ask(.sessions) { answers in
            answer {
                answers.flatMap { answer -> [SessionRow] in
                    if case .sessions(let rows) = answer { rows } else { [] }
                }
            }
        }
    }

    /// Closes a session. The answer is whether there is one of that id.
    package func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void) {
        self.survey.ask(.close(id: id.description, code: CloseCode(rawValue: code), reason: reason)) { answers in
            answer(answers.contains { if case .closed(true) = $0 { true } else { false } })
        }
    }

    // MARK: - Backends and metrics

    package func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void) {
        self.count { counts in answer { counts.rows } }
    }

    package func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void) {
        self.count { [unowned self] counts in
            let (control, dropped, version) = (self.counted, self.log.droppedLines, self.version)
            answer { counts.families(control: control, droppedLines: dropped, version: version) }
        }
    }

    package func aside<Value: Sendable>(
        _ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) {
        self.sideWork.make(make, then: then)
    }

    /// What all workers have counted, and how the endpoints are.
    private func count(then: @escaping (GatewayCounts) -> Void) {
        self.survey.ask(.metrics) { [unowned self] answers in
            let (active, inMailboxes) = (self.active, self.fleet.memory.inMailboxes)
            self.health.report { reports in
                then(GatewayCounts(active, answers, inMailboxes: inMailboxes, backends: reports))
            }
        }
    }

    // MARK: - Drain

    /// - Parameter undo: give the endpoints new sessions again.
    package func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void) {
        switch selection {
        case .process:
            // Who asks hears of it before the process can end.
            answer(.draining(sessions: self.fleet.sessions))
            if self.state == .serving { self.drain(because: "admin") }
        case .backend(let name):
            guard let backend = self.active.backend(named: name) else {
                return answer(.unknown("there is no backend \(name)"))
            }
            guard !backend.endpoints.isEmpty else {
                return answer(.unknown("\(name) is a built-in service, which has no endpoints to drain"))
            }
            self.drain(backend.endpoints, .ofBackend(name), undo: undo, answer)
        case .endpoint(let name, let endpointName):
            guard let endpoint = self.active.backend(named: name)?.endpoint(named: endpointName) else {
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
        self.drain(selection, cause: .drain) { sessions, _ in answer(.draining(sessions: sessions)) }
    }

    package func logAdminFailed(_ error: StartError) { self.log.write(.error, "admin-failed", reason: "\(error)") }

    /// Where the admin address is, for whoever left the port to the system.
    package func logAdmin(_ address: SocketAddress) {
        var record = LogRecord(.info, "admin")
        record.add("address", address.description)
        self.log.write(record)
    }
}
