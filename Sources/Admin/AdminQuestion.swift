public import ControlPlane
internal import DataPlane
internal import Observability
public import Sessions

/// What a request asks of the gateway.
public enum AdminQuestion: Equatable, Sendable {
    case readiness
    case metrics
    /// - ofSubject: `nil`: all of them.
    case sessions(ofSubject: String?)
    case backends
    /// - causedBy: `nil`: all of them.
    case closes(causedBy: Cause?)
    case refusals
    case history
    case close(CloseOrder)
    /// - for: how long it is kept out; `nil`: it may come in again at once.
    case closeSubject(String, for: Duration?, dryRun: Bool)
    case reload(dryRun: Bool)
    case drain(Gateway.DrainSelection, undo: Bool)
}

extension GatewayControl {
    /// Answers a question, at once or later.
    func ask(_ question: AdminQuestion, answer: @escaping (AdminResponse) -> Void) {
        switch question {
        case .readiness: answer(.readiness(self.readiness))
        case .backends: self.backends { rows in self.aside({ .backends(rows()) }, then: answer) }
        case .closes(let cause):
            let closes = self.lastCloses
            self.aside({ .closes(closes.filter { cause == nil || $0.cause == cause }) }, then: answer)
        case .refusals:
            let refusals = self.lastRefusals
            self.aside({ .refusals(refusals) }, then: answer)
        case .history: answer(.history(self.activity))
        case .metrics: self.metrics { families in self.aside({ .metrics(families()) }, then: answer) }
        case .sessions(let subject):
            self.sessions(ofSubject: subject) { rows in self.aside({ .sessions(rows()) }, then: answer) }
        case .close(let order):
            self.closeSession(id: order.id, code: order.code, reason: order.reason) { exists in
                answer(exists ? .closing(order) : .noSuchSession)
            }
        case .closeSubject(let subject, let duration, let dryRun):
            self.closeSessions(ofSubject: subject, keepingOut: duration, dryRun: dryRun) {
                answer($0.map { .closing($0, dryRun: dryRun) } ?? .tooManySubjects)
            }
        case .reload(let dryRun): self.reload(dryRun: dryRun) { answer(.reload($0, dryRun: dryRun)) }
        case .drain(let selection, let undo): self.drain(selection, undo: undo) { answer(.drain($0)) }
        }
    }
}
