internal import Configuration
package import EventLoop
internal import WebSocketProtocol

/// What an operator wants to know and to have done. Answers come on the control thread; what workers have to be asked for comes later.
extension Gateway {
    package var readiness: GatewayReadiness {
        switch self.state {
        case .serving: self.listeners.listeners.isEmpty ? .noListener : .ready
        case .draining, .stopped: .draining
        }
    }

    // MARK: - Sessions

    package func sessions(answer: @escaping ([SessionRow]) -> Void) {
        self.survey.ask(.sessions) { answers in
            var all: [SessionRow] = []
            for case .sessions(let rows) in answers { all += rows }
            answer(all)
        }
    }

    /// Closes a session. The answer is whether there is one of that id.
    package func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void) {
        self.survey.ask(.close(id: id.description, code: CloseCode(rawValue: code), reason: reason)) { answers in
            answer(answers.contains { if case .closed(true) = $0 { true } else { false } })
        }
    }

    // MARK: - Backends and metrics

    package func backends(answer: @escaping ([BackendRow]) -> Void) {
        self.count { [unowned self] in answer(self.rows($0)) }
    }

    package func metrics(answer: @escaping ([MetricFamily]) -> Void) {
        self.count { [unowned self] counts in
            answer(
                counts.families(
                    control: self.counted, backends: self.rows(counts), health: self.health.metrics,
                    droppedLines: self.log.droppedLines, version: self.version, usage: .now()))
        }
    }

    /// What all workers have counted.
    private func count(then: @escaping (MetricsSnapshot) -> Void) {
        let routes = self.snapshot.runtime.routes.compactMap { route in
            route.backend.map { (name: route.settings.name, backend: $0.name) }
        }
        self.survey.ask(.metrics) { [unowned self] answers in
            var all = MetricsSnapshot(routes)
            for case .metrics(let snapshot) in answers { all.add(snapshot) }
            all.memory[.mailbox] = self.fleet.memory.inMailboxes
            then(all)
        }
    }

    private func rows(_ counts: MetricsSnapshot) -> [BackendRow] {
        self.snapshot.runtime.backends.map { backend in
            let open = counts.routes.values.reduce(0) { $0 + ($1.sessions[backend.name]?.open ?? 0) }
            return BackendRow(
                name: backend.name, kind: backend.settings.kind.name, sessions: open,
                endpoints: self.health.rows(of: backend))
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
            guard let backend = self.snapshot.runtime.backend(named: name) else {
                return answer(.unknown("there is no backend \(name)"))
            }
            guard !backend.endpoints.isEmpty else {
                return answer(.unknown("\(name) is a built-in service, which has no endpoints to drain"))
            }
            self.drain(backend.endpoints, .ofBackend(name), undo: undo, answer)
        case .endpoint(let name, let endpointName):
            guard let endpoint = self.snapshot.runtime.backend(named: name)?.endpoint(named: endpointName) else {
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

extension BackendSettings.Kind {
    /// As the admin address shows it.
    fileprivate var name: String {
        switch self {
        case .builtin(.echo): "echo"
        case .builtin(.broadcast): "broadcast"
        case .builtin(.clock): "clock"
        case .websocket: "websocket"
        case .tcp: "tcp"
        }
    }
}
