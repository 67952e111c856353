internal import DataPlane
internal import System

/// The tails that are open, and what gets their news.
final class Tails {
    private let fleet: Fleet
    private let survey: Survey
    private var receivers: [ObjectIdentifier: ([Tail.News]) -> Void] = [:]

    init(_ fleet: Fleet, _ survey: Survey) {
        self.fleet = fleet
        self.survey = survey
    }

    /// Opens a tail on all workers.
    ///
    /// - Parameters:
    ///   - receive: gets its news until it ends; some may come before the answer.
    ///   - answer: gets the tail when it is in force everywhere; `nil`: there is no such session.
    func begin(
        _ selection: TailSelection, showsPayloads: Bool, receive: @escaping ([Tail.News]) -> Void,
        answer: @escaping (Tail?) -> Void
    ) {
        let control = self.fleet.control
        let tail = Tail(selection, showsPayloads: showsPayloads, self.fleet.memory) {
            control.send(.memoryRose)
        } deliver: {
            control.send(.tailed($0, $1))
        }
        self.receivers[ObjectIdentifier(tail)] = receive
        self.survey.ask {
            $0.begin(tail)
        } then: { [unowned self] found in
            if found.contains(true) { return answer(tail) }
            self.receivers[ObjectIdentifier(tail)] = nil
            answer(nil)
        }
    }

    /// A worker has news of a tail.
    func received(_ news: [Tail.News], of tail: Tail) { self.receivers[ObjectIdentifier(tail)]?(news) }

    /// Closes a tail on all workers.
    func end(_ tail: Tail) {
        guard self.receivers.removeValue(forKey: ObjectIdentifier(tail)) != nil else { return }
        self.fleet.tell(.ask { $0.end(tail) })
    }
}
