public import ControlPlane
public import DataPlane
internal import Observability
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

extension GatewayControl {
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
        self.closeSessions(order) { count in
            if !order.isDryRun { self.log(AdminChange(order, matched: count), by: asker) }
            answer(.closing(order, matched: count))
        }
    }
}
