/// Counts the memory of bytes that many queues share.
public protocol SharedBytesAccount: AnyObject {
    /// The memory grew by `bytes`, or shrank if that is negative.
    func shared(changedBy bytes: Int)
}

/// Bytes that many queues of a loop share, such as a frame for a room. They are counted once, from when the first queue keeps them until
/// the last has sent them.
public final class SharedBytes {
    /// Never changed.
    public let bytes: [UInt8]
    private let account: any SharedBytesAccount
    private var isKept = false

    /// Bytes that no queue keeps yet, so that they are not counted.
    public init(_ bytes: [UInt8], countedBy account: any SharedBytesAccount) {
        self.bytes = bytes
        self.account = account
    }

    deinit {
        if self.isKept { self.account.shared(changedBy: -OutputQueue.cost(of: self.bytes)) }
    }

    /// A queue keeps the bytes.
    public func keep() {
        guard !self.isKept else { return }
        self.isKept = true
        self.account.shared(changedBy: OutputQueue.cost(of: self.bytes))
    }
}
