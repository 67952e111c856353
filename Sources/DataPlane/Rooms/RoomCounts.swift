internal import Synchronization

/// What the rooms of a backend count, on all workers.
final class RoomCounts: Sendable {
    /// Messages of members, and those that were published.
    private let messages = Atomic<UInt64>(0)
    private let deliveries = Atomic<UInt64>(0)

    /// Zeros.
    init() {}

    var all: (messages: UInt64, deliveries: UInt64) {
        (self.messages.load(ordering: .relaxed), self.deliveries.load(ordering: .relaxed))
    }

    func posted(_ count: UInt64) { self.messages.add(count, ordering: .relaxed) }

    /// So many members got so many messages.
    func delivered(_ count: UInt64, to members: Int) {
        self.deliveries.add(count &* UInt64(members), ordering: .relaxed)
    }
}
