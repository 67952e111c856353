internal import Synchronization
internal import System

/// The bound on what is queued, assembled and in mailboxes, over all workers: `memory` of the configuration.
///
/// One total, to which each worker adds what changed with it, in steps of `MemoryAccount.step`: in the steady state, where nothing is
/// held, nobody touches it. The level is kept beside it, so that to ask for it is one load.
public final class MemoryBound: Sendable {
    private let limited: Atomic<Int>
    private let used = Atomic<Int>(0)
    private let mailbox = Atomic<Int>(0)
    private let most = Atomic<Int>(0)
    private let promises = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let reached = Atomic<Int>(MemoryLevel.ample.rawValue)

    public init(limit: Int) { self.limited = Atomic(limit) }

    /// What `memory: auto` is: a quarter of what there is, and 256 MiB where nobody says how much that is.
    public static var automatic: Int { (MachineMemory.available() ?? 1 << 30) / 4 }

    /// In bytes.
    public var limit: Int { self.limited.load(ordering: .relaxed) }
    /// Everything that is held, in bytes.
    public var total: Int { self.used.load(ordering: .relaxed) }
    /// What of it waits in mailboxes, in bytes.
    public var inMailboxes: Int { self.mailbox.load(ordering: .relaxed) }

    /// What messages that were begun will still bring, in bytes, as far as it is known and no more than `mostPromised` for each.
    public var promised: Int { self.promises.load(ordering: .relaxed) }

    /// Of one message no more is promised: a length that is only declared must not keep others out.
    public var mostPromised: Int { self.limit / 64 }

    public func promise(_ bytes: Int) { self.promises.add(bytes, ordering: .relaxed) }

    /// Whether a message that has to be held may be begun: the last quarter is for those that were.
    public var hasRoom: Bool { !self.isScarce && self.total + self.promised < self.limit / 16 * 12 }

    /// Whether a message waits to be begun.
    public var isAwaited: Bool { self.waiting.load(ordering: .relaxed) > 0 }

    /// So many more messages wait to be begun.
    public func wait(_ count: Int) { self.waiting.add(count, ordering: .relaxed) }

    /// Whether three quarters are in use.
    public var isScarce: Bool { self.reached.load(ordering: .relaxed) != MemoryLevel.ample.rawValue }

    public var level: MemoryLevel { MemoryLevel(rawValue: self.reached.load(ordering: .relaxed)) ?? .ample }

    /// A reload brought another one.
    public func setLimit(_ limit: Int) {
        self.limited.store(limit, ordering: .relaxed)
        self.look()
    }

    /// Returns whether the level has risen by this.
    @discardableResult
    public func add(_ bytes: Int) -> Bool {
        let total = self.used.add(bytes, ordering: .relaxed).newValue
        if total > self.most.load(ordering: .relaxed) { self.most.store(total, ordering: .relaxed) }
        return self.look()
    }

    /// The same for what is put into a mailbox, or taken out.
    @discardableResult
    public func add(mailbox bytes: Int) -> Bool {
        self.mailbox.add(bytes, ordering: .relaxed)
        return self.add(bytes)
    }

    /// Two that look at once may each be right for a moment: whoever comes next puts it right, the control thread at the latest.
    @discardableResult
    public func look() -> Bool {
        let before = self.level
        let level = before.next(total: self.total, limit: self.limit)
        if level != before { self.reached.store(level.rawValue, ordering: .relaxed) }
        return level > before
    }

    /// The most that was held since this was asked last.
    public func takePeak() -> Int { self.most.exchange(self.total, ordering: .relaxed) }
}
