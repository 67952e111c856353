internal import DataPlane

/// Asks all workers a question and gathers the answers, without blocking the control thread.
final class Survey {
    private struct Pending {
        var answers: [Int: any Sendable] = [:]
        let then: ([any Sendable]) -> Void
    }

    private let fleet: Fleet
    private var pending: [Int: Pending] = [:]
    private var nextID = 0

    init(_ fleet: Fleet) { self.fleet = fleet }

    /// - Parameters:
    /// - question: called on the thread of each worker.
    /// - then: gets the answers, in the order of the workers, on the control thread.
    func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (Worker) -> Answer, then: @escaping ([Answer]) -> Void
    ) {
        let id = self.nextID
        self.nextID += 1
        self.pending[id] = Pending { answers in then(answers.compactMap { $0 as? Answer }) }
        self.fleet.tell(.ask { worker in worker.answer(question(worker), to: id) })
    }

    func received(_ answer: any Sendable, id: Int, from worker: Int) {
        self.pending[id]?.answers[worker] = answer
        guard let pending = self.pending[id], pending.answers.count == self.fleet.members.count else { return }
        self.pending[id] = nil
        pending.then(pending.answers.sorted { $0.key < $1.key }.map(\.value))
    }
}
