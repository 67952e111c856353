internal import System

/// Asks all workers the same question, and waits for their answers without blocking the control thread.
final class Survey {
    private struct Pending {
        var answers: [Int: WorkerAnswer] = [:]
        let then: ([WorkerAnswer]) -> Void
    }

    private let fleet: Fleet
    private var pending: [Int: Pending] = [:]
    private var nextID = 0

    init(_ fleet: Fleet) { self.fleet = fleet }

    /// - Parameter then: gets the answer of each worker, in their order.
    func ask(_ question: WorkerQuestion, then: @escaping ([WorkerAnswer]) -> Void) {
        let id = self.nextID
        self.nextID += 1
        self.pending[id] = Pending(then: then)
        self.fleet.tell(.question(question, id: id))
    }

    func received(_ answer: WorkerAnswer, id: Int, from worker: Int) {
        self.pending[id]?.answers[worker] = answer
        guard let pending = self.pending[id], pending.answers.count == self.fleet.members.count else { return }
        self.pending[id] = nil
        pending.then(pending.answers.sorted { $0.key < $1.key }.map(\.value))
    }
}

extension Survey {
    /// How many sessions there are of some.
    func count(_ selection: SessionSelection, then: @escaping (_ counts: [Int]) -> Void) {
        self.ask(.count(selection)) { answers in
            then(answers.map { if case .count(let count) = $0 { count } else { 0 } })
        }
    }
}
