internal import Balancing
internal import Configuration
public import DataPlane
public import Observability
internal import Sessions
public import System

/// What operators ask and order. Answers are given on the control thread, at once or when the workers have answered. Where an answer can
/// have thousands of rows, it is a function that makes them; call that on another thread (`aside`).
extension Gateway {
    /// Whether to send new clients here.
    public var readiness: Readiness {
        guard self.drainer.isServing else { return .draining }
        return self.serving.listeners.listeners.isEmpty ? .noListener : .ready
    }

    // MARK: - Sessions

    /// How long messages are counted to find the rates of sessions and rooms.
    static let ratePeriod = Duration.milliseconds(500)

    /// A page of the live sessions. `answer` gets a function that puts it together, on any thread.
    public func sessions(
        _ query: SessionQuery, answer: @escaping (@escaping @Sendable () -> SessionPage) -> Void
    ) {
        guard query.order == .rate, query.earlier == nil else {
            return self.survey.ask {
                $0.page(query)
            } then: { pages in
                answer { SessionPage(pages, limit: query.limit) }
            }
        }
        self.survey.ask {
            $0.messages(of: query.filter)
        } then: { [unowned self] messages in
            let began = MonotonicInstant.now()
            _ = ControlTimer(self.loop, once: Self.ratePeriod) { [unowned self] in
                var query = query
                query.earlier = .init(messages: messages, ago: .now() - began)
                self.sessions(query, answer: answer)
            }
        }
    }

    /// Closes sessions.
    ///
    /// - Parameter answer: gets how many there are; `nil`: as many subjects are kept out as can be, and nothing was done.
    public func closeSessions(_ order: CloseOrder, answer: @escaping (Int?) -> Void) {
        if let subject = order.filter.subject, let duration = order.keepingOut, !order.isDryRun {
            guard self.revoked.add(subject, for: duration, now: self.loop.now) else { return answer(nil) }
            // It is in force before the sessions are looked for.
            self.fleet.tell(.revoke(self.revoked))
        }
        self.survey.ask {
            $0.close(order)
        } then: { counts in
            answer(counts.reduce(0, +))
        }
    }

    // MARK: - Tails

    /// Shows the frames of sessions from now on, until the tail is ended.
    ///
    /// - Parameters:
    ///   - showsPayloads: whether more than what frames there are is shown.
    ///   - receive: gets the news, some of it maybe before the answer.
    ///   - answer: gets the tail when it is in force; `nil`: there is no such session or route.
    public func beginTail(
        _ selection: TailSelection, showsPayloads: Bool, receive: @escaping ([Tail.News]) -> Void,
        answer: @escaping (Tail?) -> Void
    ) {
        if case .route(let name) = selection {
            let isKnown = self.serving.configuration.routes.contains { $0.settings.name == name }
            guard isKnown else { return answer(nil) }
        }
        self.tails.begin(selection, showsPayloads: showsPayloads, receive: receive, answer: answer)
    }

    /// The tail shows nothing more.
    public func endTail(_ tail: Tail) { self.tails.end(tail) }

    // MARK: - Backends and metrics

    /// All backends with their endpoints. `answer` gets a function that makes the rows, on any thread.
    public func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void) {
        self.count { counts in answer { counts.rows } }
    }

    /// All metrics. `answer` gets a function that makes them, on any thread.
    public func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void) {
        self.count { [unowned self] counts in
            let (dropped, version) = (self.log.droppedLines, self.version)
            var control = self.reloader.counted
            control.keyFetches = self.keys.counted
            answer { [control] in counts.families(control: control, droppedLines: dropped, version: version) }
        }
    }

    /// Runs `make` on another thread, and `then` with its result on the control thread.
    public func aside<Value: Sendable>(
        _ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) {
        self.sideWork.make(make, then: then)
    }

    /// Adds up what the workers have counted, and the state of the endpoints.
    private func count(then: @escaping (GatewayCounts) -> Void) {
        self.survey.ask {
            $0.counts
        } then: { [unowned self] snapshots in
            self.health.report { [unowned self] reports in
                then(GatewayCounts(self.serving, self.fleet, snapshots, backends: reports))
            }
        }
    }

    // MARK: - Reload and drain

    /// Applies the configuration file as it is now.
    ///
    /// - Parameter dryRun: only say which sessions would close; change nothing.
    public func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        self.reloader.reload(dryRun: dryRun, answer: answer)
    }

    /// Drains, or takes a drain of a backend or an endpoint back.
    ///
    /// - Parameter undo: give the endpoints new sessions again. It has no effect on `.process`.
    public func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void) {
        let configuration = self.serving.configuration
        switch selection {
        case .process:
            // Answer first: after this the process may end at any time.
            answer(.draining(sessions: self.fleet.sessions))
            if self.drainer.isServing { self.drain(because: .admin) }
        case .backend(let name):
            do throws(UnknownName) {
                let endpoints = try configuration.knownBackend(name).knownEndpoints()
                self.drain(endpoints, .ofBackend(name), undo: undo, answer)
            } catch { answer(.unknown(error.text)) }
        case .endpoint(let name, let endpointName):
            do throws(UnknownName) {
                let endpoint = try configuration.knownBackend(name).knownEndpoint(endpointName)
                self.drain([endpoint], .ofEndpoint(endpoint), undo: undo, answer)
            } catch { answer(.unknown(error.text)) }
        }
    }

    private func drain(
        _ endpoints: [Endpoint], _ selection: SessionSelection, undo: Bool, _ answer: @escaping (DrainOutcome) -> Void
    ) {
        for endpoint in endpoints {
            if undo { self.health.undrain(endpoint) } else { self.health.follow(.drain, endpoint) }
        }
        guard !undo else { return answer(.undrained) }
        self.drainer.close(selection) { answer(.draining(sessions: $0)) }
    }

    /// Gives an endpoint to clients, or takes it from them. Its sessions stay.
    ///
    /// - Returns: why there is nothing to do it with; `nil`: it is done.
    public func order(_ order: EndpointOrder) -> String? {
        do throws(UnknownName) {
            let endpoint = try self.serving.configuration.knownBackend(order.backend).knownEndpoint(order.endpoint)
            self.health.follow(order.state.health, endpoint)
            return nil
        } catch { return error.text }
    }

    // MARK: - The process

    /// What the process does, and what it may use.
    public func status(answer: @escaping (GatewayStatus) -> Void) {
        self.survey.ask {
            $0.sessionCount
        } then: { [unowned self] sessions in
            answer(self.status(sessions: sessions.reduce(0, +)))
        }
    }

    private func status(sessions: Int) -> GatewayStatus {
        let now = self.loop.now
        return GatewayStatus(
            version: self.version, process: Int(OwnProcess.number), started: self.started.text,
            uptime: now - self.started.instant, workers: self.fleet.members.count, sessions: sessions,
            connections: self.fleet.sessions, isDraining: !self.drainer.isServing,
            drainEndsIn: self.drainer.end.map { max(.zero, $0 - now) }, memory: self.fleet.memory.total,
            memoryLimit: self.fleet.memory.limit, openFiles: ProcessUsage.openDescriptors(),
            openFilesLimit: self.fleet.descriptorLimit, listeners: self.serving.listeners.listeners.map(\.url),
            isReadOnly: self.serving.startedWith.admin?.readOnly ?? false,
            showsPayloads: self.serving.startedWith.admin?.payloads ?? false, cluster: self.fleet.cluster.status,
            lastReload: self.reloader.last)
    }

    // MARK: - The admin address

    /// Logs that the admin address could not be opened, or does not work, although the gateway serves.
    public func logAdminFailed(_ error: StartError) { self.log.write(.error, "admin-failed", reason: "\(error)") }

    /// Logs what an operator changed.
    public func log(_ change: AdminChange, by asker: String) { self.log.write(change.record(by: asker)) }

    /// Logs where the admin address is. If its port is 0 in the configuration, the system has chosen one.
    public func logAdmin(_ address: SocketAddress) {
        var record = LogRecord(.info, "admin")
        record.add("address", address.description)
        self.log.write(record)
    }
}

extension Gateway {
    /// Whether load balancers should send new clients.
    public enum Readiness: Sendable, Equatable {
        case ready
        case draining
        /// No listener accepts connections.
        case noListener
    }
}
