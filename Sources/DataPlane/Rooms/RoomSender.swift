internal import Synchronization

/// How much of what one client sent to its room is not delivered yet, on all workers together.
public final class RoomSender: Sendable {
    /// The undelivered bytes for each worker above which the client is not read: what goes out together anyway.
    private static let mostPerWorker = 16 << 10

    private let most: Int
    /// The index of the client's worker.
    let worker: Int
    private let outstanding = Atomic<Int>(0)
    /// The client is not read, and one delivery has to let it continue.
    private let isWaiting = Atomic<Bool>(false)

    /// - Parameter workers: the number of workers.
    init(worker: Int, of workers: Int) {
        self.worker = worker
        self.most = workers * Self.mostPerWorker
    }

    /// - Parameter bytes: the sum over all workers that deliver the post.
    func sent(_ bytes: Int) { self.outstanding.add(bytes, ordering: .sequentiallyConsistent) }

    /// A worker has delivered a post.
    ///
    /// - Returns: whether the client waited for this one: then the caller, and no other, has to let it continue.
    func delivered(_ bytes: Int) -> Bool {
        guard self.outstanding.subtract(bytes, ordering: .sequentiallyConsistent).newValue == 0 else { return false }
        return self.isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Whether the client has to wait. If so, a later `delivered` returns true.
    func mustWait() -> Bool {
        guard self.outstanding.load(ordering: .sequentiallyConsistent) > self.most else { return false }
        self.isWaiting.store(true, ordering: .sequentiallyConsistent)
        // The last delivery may have happened before it could see that the client waits. Then exactly one of the two must act on it.
        guard self.outstanding.load(ordering: .sequentiallyConsistent) == 0 else { return true }
        return !self.isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }
}
