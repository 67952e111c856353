internal import Configuration
internal import Synchronization

/// How many connections or sessions each address has, on all workers together.
///
/// They are counted without a limit, too, so that one that a reload sets finds those that are there. There are no more entries than
/// connections.
public final class AddressCounts: Sendable {
    private let counts = Mutex<[IPNetwork: Int]>([:])

    /// None.
    public init() {}

    /// Counts one more.
    ///
    /// - Parameters:
    ///   - address: in the unit of `IPAddress.subscriber`.
    ///   - limit: the most that it may have; `nil`: no limit.
    /// - Returns: whether it may have one more. Otherwise nothing is counted.
    func add(_ address: IPNetwork, limit: Int?) -> Bool {
        self.counts.withLock { counts in
            let count = counts[address, default: 0]
            guard count < limit ?? .max else { return false }
            counts[address] = count + 1
            return true
        }
    }

    /// One that was counted is closed.
    func remove(_ address: IPNetwork) {
        self.counts.withLock { counts in
            let count = counts[address, default: 0]
            counts[address] = count > 1 ? count - 1 : nil
        }
    }
}
