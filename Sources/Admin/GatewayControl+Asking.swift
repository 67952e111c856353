extension GatewayControl {
    /// Has a question answered, now or later.
    func ask(_ question: AdminQuestion, answer: @escaping (AdminResponse) -> Void) {
        switch question {
        case .readiness: answer(.readiness(self.readiness))
        case .backends: self.backends { answer(.backends($0)) }
        case .metrics:
            self.metrics { families in
                let text = MetricsText.text(families)
                answer(AdminResponse(200, contentType: MetricsText.contentType, body: Array(text.utf8)))
            }
        case .sessions: self.sessions { answer(.sessions($0)) }
        case .close(let order):
            self.closeSession(id: order.id, code: order.code, reason: order.reason) { exists in
                answer(exists ? .closing(order) : .noSuchSession)
            }
        case .reload(let dryRun): self.reload(dryRun: dryRun) { answer(.reload($0, dryRun: dryRun)) }
        case .drain(let selection, let undo): self.drain(selection, undo: undo) { answer(.drain($0)) }
        }
    }
}
