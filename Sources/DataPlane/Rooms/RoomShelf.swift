internal import Admission
internal import Configuration
internal import Synchronization
internal import System
internal import WebSocketProtocol

/// The histories of a backend's rooms, for all threads.
final class RoomShelf: Sendable {
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
            self.histories.withLock { $0 = RoomHistories() }
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

    /// `RoomHistories.vacated`
    func vacated(_ room: RoomName) { self.histories.withLock { $0.vacated(room) } }
}
