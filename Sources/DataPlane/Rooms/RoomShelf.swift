internal import Admission
internal import Configuration
internal import Synchronization
internal import System
internal import WebSocketProtocol

/// What all rooms of a backend have in common, for all threads: their histories, and what is counted.
final class RoomShelf: Sendable {
    let counts = RoomCounts()
    private let histories = Mutex(RoomHistories())
    /// There may be something.
    private let isUsed = Atomic<Bool>(false)

    /// Nothing is remembered.
    init() {}

    /// - Parameter rules: `nil`: nothing is remembered any more. What was would have a gap that cannot be seen.
    private func change<Result>(
        _ rules: BackendSettings.History?,
        _ body: (inout RoomHistories, BackendSettings.History) -> sending Result
    ) -> Result? {
        guard let rules else {
            guard self.isUsed.exchange(false, ordering: .sequentiallyConsistent) else { return nil }
            self.histories.withLock { $0.forgetAll() }
            return nil
        }
        self.isUsed.store(true, ordering: .sequentiallyConsistent)
        return self.histories.withLock { body(&$0, rules) }
    }

    /// `RoomHistories.append`; `nil` without history.
    func append(
        _ messages: [Message], at time: Duration, to room: RoomName, isOccupied: Bool,
        _ rules: BackendSettings.History?
    ) -> RoomHistories.Position? {
        self.change(rules) { histories, rules in
            let entries = messages.map { RoomHistories.Entry(message: $0, at: time) }
            return histories.append(entries, to: room, isOccupied: isOccupied, rules, now: .now())
        }
    }

    /// `RoomHistories.recover`
    func recover(
        _ start: RoomRequest.Start, in room: RoomName, _ rules: BackendSettings.History?
    ) -> RoomHistories.Recovery {
        self.change(rules) { $0.recover(start, in: room, $1, now: .now()) } ?? .none(start)
    }

    /// `RoomHistories.answer`
    func answer(to key: String, in room: RoomName) -> Published? {
        self.histories.withLock { $0.answer(to: key, in: room, now: .now()) }
    }

    /// `RoomHistories.keep`. Keys are kept without history, too.
    func keep(_ answer: Published, for key: String, in room: RoomName, _ rules: BackendSettings.History?) {
        let rules = rules ?? BackendSettings.History()
        self.histories.withLock { $0.keep(answer, for: key, in: room, rules, now: .now()) }
    }

    /// Everything about the rooms of which something is known.
    func facts(_ rules: BackendSettings.History?) -> [RoomFacts] {
        self.change(rules) { histories, rules in
            let now = MonotonicInstant.now()
            return histories.names.compactMap { histories.facts(of: $0, rules, now: now) }
        } ?? []
    }

    /// One room; `nil`: nothing is known of it.
    func room(
        _ name: RoomName, _ rules: BackendSettings.History?, showsPayloads: Bool
    ) -> (facts: RoomFacts, remembered: [RoomFacts.Remembered])? {
        self.change(rules) { histories, rules -> (RoomFacts, [RoomFacts.Remembered])? in
            let now = MonotonicInstant.now()
            guard let facts = histories.facts(of: name, rules, now: now),
                let (position, entries) = histories.contents(of: name, rules, now: now)
            else { return nil }
            return (facts, entries.remembered(upTo: position.offset, showsPayloads: showsPayloads))
        } ?? nil
    }

    /// - Returns: whether something was known.
    func forget(_ name: RoomName, _ rules: BackendSettings.History?) -> Bool {
        self.change(rules) { histories, rules in
            let now = MonotonicInstant.now()
            let wasKnown = histories.contents(of: name, rules, now: now) != nil
            histories.forget(name, now: now)
            return wasKnown
        } ?? false
    }

    /// `RoomHistories.vacated`
    func vacated(_ room: RoomName) { self.histories.withLock { $0.vacated(room) } }
}

extension Collection<RoomHistories.Entry> {
    /// What operators see of these.
    ///
    /// - Parameter last: the offset of the last one.
    func remembered(upTo last: Int, showsPayloads: Bool) -> [RoomFacts.Remembered] {
        self.enumerated().map { index, entry in
            RoomFacts.Remembered(
                offset: last - self.count + 1 + index, at: entry.at, isText: entry.message.opcode == .text,
                size: entry.message.payload.count, payload: showsPayloads ? entry.message.payload : nil)
        }
    }
}
