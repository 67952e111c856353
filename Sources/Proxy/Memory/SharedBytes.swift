internal import Observability

/// Bytes that many queues of a worker share, such as a frame for a room: counted once, from when the first of them keeps it until the
/// last has sent it.
final class SharedBytes {
    let bytes: [UInt8]
    private var account: MemoryAccount?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    deinit { self.account?.change(.queued, by: -OutputQueue.cost(of: self.bytes)) }

    /// A queue keeps it.
    func isKept(by account: MemoryAccount) {
        guard self.account == nil else { return }
        self.account = account
        account.change(.queued, by: OutputQueue.cost(of: self.bytes))
    }
}
