internal import Admission
public import ControlPlane
public import DataPlane
internal import Observability
internal import Sessions
internal import System

/// What a request asks of the gateway.
public enum AdminQuestion: Equatable, Sendable {
    case readiness
    case metrics
    case sessions(SessionQuery)
    case backends
    case certificates
    case configuration
    case explain(Gateway.ExplainedRequest)
    case closes(ClosedSessionFilter)
    case refusals
    case history
    case close(CloseOrder)
    case reload(dryRun: Bool)
    case drain(DrainSelection, undo: Bool)
    case order(EndpointOrder)
    case status
    case rooms(RoomQuery)
    case room(RoomOrder)
}

extension AdminQuestion {
    /// What a question would change, and was not allowed to; `nil`: it changes nothing.
    ///
    /// - Parameter reason: why not.
    func refused(_ reason: String) -> AdminChange? {
        switch self {
        case .close(let order): order.isDryRun ? nil : AdminChange(order, refused: reason)
        case .reload(let dryRun): dryRun ? nil : AdminChange(reloadRefused: reason)
        case .drain(let selection, let undo): AdminChange(selection, undo: undo, refused: reason)
        case .order(let order): AdminChange(order, problem: "refused: \(reason)")
        case .room(let order):
            switch order.action {
            case .show: nil
            case .forget: AdminChange("forget", room: order.room.text, of: order.backend, refused: reason)
            case .publish: AdminChange("publish", room: order.room.text, of: order.backend, refused: reason)
            }
        case .readiness, .metrics, .sessions, .backends, .certificates, .configuration, .explain, .closes, .refusals,
            .history, .status, .rooms:
            nil
        }
    }
}

extension GatewayControl {
    /// The session's end, if it is among the last ones.
    func lastClose(of id: SessionID) -> ClosedSession? { self.lastCloses.first { $0.session == id } }

    /// Why there is nothing to tail.
    func nothingToTail(_ selection: TailSelection) -> String {
        switch selection {
        case .session(let id):
            guard let close = self.lastClose(of: id) else { return "there is no such session, or it is not open" }
            return "session \(id) ended at \(WallClock.rfc3339(close.at)): \(close.summary)"
        case .route(let name): return self.unknown(SessionFilter(route: name)) ?? "there is no route \(name.cut)"
        }
    }

    /// Answers a question, at once or later. A change is logged.
    ///
    /// - Parameter asker: the user, or the address that asks.
    func ask(_ question: AdminQuestion, by asker: String, answer: @escaping (AdminResponse) -> Void) {
        switch question {
        case .readiness: answer(.readiness(self.readiness))
        case .backends: self.backends { rows in self.aside({ .backends(rows()) }, then: answer) }
        case .certificates:
            answer(.certificates(self.shownCertificates, now: WallClock.sinceEpoch().components.seconds))
        case .configuration:
            let text = self.configurationText
            self.aside({ .configuration(text) }, then: answer)
        case .explain(let request): self.explain(request) { made in self.aside({ .explanation(made()) }, then: answer) }
        case .closes(let filter):
            let closes = self.lastCloses
            self.aside({ .closes(closes.filter { filter.holds(for: $0) }) }, then: answer)
        case .refusals:
            let refusals = self.lastRefusals
            self.aside({ .refusals(refusals) }, then: answer)
        case .history: answer(.history(self.activity))
        case .metrics: self.metrics { families in self.aside({ .metrics(families()) }, then: answer) }
        case .sessions(let query):
            self.sessions(query) { page in self.aside({ .sessions(page(), of: query) }, then: answer) }
        case .close(let order): self.close(order, by: asker, answer)
        case .reload(let dryRun):
            self.reload(dryRun: dryRun) { outcome in
                if !dryRun { self.log(AdminChange(outcome), by: asker) }
                self.aside({ .reload(outcome, dryRun: dryRun) }, then: answer)
            }
        case .drain(let selection, let undo):
            self.drain(selection, undo: undo) { outcome in
                self.log(AdminChange(outcome, of: selection, undo: undo), by: asker)
                answer(.drain(outcome))
            }
        case .order(let order):
            let problem = self.order(order)
            self.log(AdminChange(order, problem: problem), by: asker)
            answer(problem.map { .error(404, $0) } ?? .order(order))
        case .status: self.status { answer(.status($0)) }
        case .rooms(let query): self.rooms(query) { page in self.aside({ .rooms(page()) }, then: answer) }
        case .room(let order): self.ask(order, by: asker, then: answer)
        }
    }

    private func close(_ order: CloseOrder, by asker: String, _ answer: @escaping (AdminResponse) -> Void) {
        self.closeSessions(order) { outcome in
            if !order.isDryRun { self.log(AdminChange(order, outcome), by: asker) }
            answer(.closing(order, outcome))
        }
    }
}
