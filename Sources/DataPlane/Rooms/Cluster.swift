internal import Configuration
internal import Synchronization
internal import System

/// The rooms at the server that gateways share, as other threads than that of `ClusterRooms` see them.
public final class Cluster: Sendable {
    /// The bytes on their way to the server above which all senders wait.
    private static let mostOutstanding = 8 << 20

    let orders: Mailbox<ClusterOrder>
    private let isUsed = Atomic<Bool>(false)
    private let outstanding = Atomic<Int>(0)
    private let link = Mutex<ClusterStatus?>(nil)

    /// Throws if the system has no descriptor for the mailbox.
    init() throws(SystemError) { self.orders = try Mailbox() }

    /// Whether rooms are at a server, and not in memory.
    var isOn: Bool { self.isUsed.load(ordering: .relaxed) }

    func turn(on isOn: Bool) { self.isUsed.store(isOn, ordering: .relaxed) }

    /// How the link is; `nil` without a server.
    public var status: ClusterStatus? { self.link.withLock { $0 } }

    func set(_ status: ClusterStatus?) { self.link.withLock { $0 = status } }

    // MARK: - What is on its way

    /// Whether so much is on its way that senders have to wait.
    var isBehind: Bool { self.outstanding.load(ordering: .relaxed) > Self.mostOutstanding }

    /// - Parameter bytes: of messages that were handed over; negative: of those that came back, or failed.
    func count(_ bytes: Int) { self.outstanding.add(bytes, ordering: .relaxed) }

    /// Asks, and waits for the answer. For threads that have nothing else to do.
    ///
    /// - Returns: `nil` if the system has no descriptor to wait with.
    func ask<Value: Sendable>(_ order: (@escaping @Sendable (Value) -> Void) -> ClusterOrder) -> Value? {
        guard let doorbell = try? Doorbell() else { return nil }
        let result = Answer<Value>()
        self.orders.send(
            order { value in
                result.value.withLock { $0 = value }
                doorbell.ring()
            })
        doorbell.wait()
        return result.value.withLock { $0 }
    }

    private final class Answer<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
