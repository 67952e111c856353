internal import Synchronization

/// How much of what one client sent to its room is not delivered yet, on all workers together.
public final class RoomSender: Sendable {
    /// With more of it on a worker, the client is not read before all of it is delivered: so much goes out together anyway.
    private static let mostPerWorker = 16 << 10

    private let most: Int
    /// The worker that the client lives on.
    let worker: Int
    private let outstanding = Atomic<Int>(0)
    /// The client is not read, and somebody has to say when it may be.
    private let isWaiting = Atomic<Bool>(false)

    /// - Parameter workers: how many there are.
    init(worker: Int, of workers: Int) {
        self.worker = worker
        self.most = workers * Self.mostPerWorker
    }

    /// - Parameter bytes: of a post, for each worker that has to deliver it.
    func sent(_ bytes: Int) { self.outstanding.add(bytes, ordering: .sequentiallyConsistent) }

    /// A worker has delivered a post. Returns whether that was the last one that the client waited for: whoever hears of it, and nobody
    /// else, has to let it go on.
    func delivered(_ bytes: Int) -> Bool {
        guard self.outstanding.subtract(bytes, ordering: .sequentiallyConsistent).newValue == 0 else { return false }
        return self.isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Whether the client has to wait. If so, somebody will be told by `delivered`.
    func mustWait() -> Bool {
        guard self.outstanding.load(ordering: .sequentiallyConsistent) > self.most else { return false }
        self.isWaiting.store(true, ordering: .sequentiallyConsistent)
        // The last of it may have been delivered before that could be seen. Then it is up to one of the two to say so.
        guard self.outstanding.load(ordering: .sequentiallyConsistent) == 0 else { return true }
        return !self.isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }
}
