/// Counts the memory of what many queues share.
public protocol SharedBytesAccount: AnyObject {
    /// So many bytes more are kept.
    func shared(changedBy bytes: Int)
}

/// Bytes that many queues of a loop share, such as a frame for a room: counted once, from when the first of them keeps it until the
/// last has sent it.
public final class SharedBytes {
    public let bytes: [UInt8]
    private let account: any SharedBytesAccount
    private var isKept = false

    public init(_ bytes: [UInt8], countedBy account: any SharedBytesAccount) {
        self.bytes = bytes
        self.account = account
    }

    deinit {
        if self.isKept { self.account.shared(changedBy: -OutputQueue.cost(of: self.bytes)) }
    }

    /// A queue keeps it.
    func keep() {
        guard !self.isKept else { return }
        self.isKept = true
        self.account.shared(changedBy: OutputQueue.cost(of: self.bytes))
    }
}
