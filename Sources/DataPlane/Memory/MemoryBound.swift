internal import Synchronization
internal import System

/// The bound on queued, assembled and mailbox bytes of all workers: `memory` in the configuration.
///
/// Each worker adds its changes to one total, in steps of `MemoryAccount.step`. In the steady state nothing is held, so the total is not
/// written. The level is stored beside it, so that reading it is one load.
public final class MemoryBound: Sendable {
    private let limited: Atomic<Int>
    private let used = Atomic<Int>(0)
    private let mailbox = Atomic<Int>(0)
    private let most = Atomic<Int>(0)
    private let promises = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let reached = Atomic<Int>(MemoryLevel.ample.rawValue)

    /// - Parameter limit: in bytes.
    public init(limit: Int) { self.limited = Atomic(limit) }

    /// The value of `memory: auto`: a quarter of the machine's or container's memory, or 256 MiB if that is unknown.
    public static var automatic: Int { (MachineMemory.available() ?? 1 << 30) / 4 }

    /// In bytes.
    public var limit: Int { self.limited.load(ordering: .relaxed) }
    /// All bytes that are held.
    public var total: Int { self.used.load(ordering: .relaxed) }
    /// The part of `total` in mailboxes, in bytes.
    public var inMailboxes: Int { self.mailbox.load(ordering: .relaxed) }

    /// The bytes that messages already begun will still need, as far as known, and at most `mostPromised` for each.
    public var promised: Int { self.promises.load(ordering: .relaxed) }

    /// The most that is promised for one message: a length that is only declared must not keep others out.
    public var mostPromised: Int { self.limit / 64 }

    /// Adds `bytes` to what is promised; negative takes them back.
    public func promise(_ bytes: Int) { self.promises.add(bytes, ordering: .relaxed) }

    /// Whether a message that has to be held may begin. The last quarter is reserved for those already begun.
    public var hasRoom: Bool { !self.isScarce && self.total + self.promised < self.limit / 16 * 12 }

    /// Whether a message waits to begin.
    public var isAwaited: Bool { self.waiting.load(ordering: .relaxed) > 0 }

    /// `count` more messages wait to begin; negative: fewer.
    public func wait(_ count: Int) { self.waiting.add(count, ordering: .relaxed) }

    /// Whether three quarters are in use, or were until recently (`MemoryLevel`).
    public var isScarce: Bool { self.reached.load(ordering: .relaxed) != MemoryLevel.ample.rawValue }

    /// How much of the bound is in use.
    public var level: MemoryLevel { MemoryLevel(rawValue: self.reached.load(ordering: .relaxed)) ?? .ample }

    /// A reload changed the limit.
    public func setLimit(_ limit: Int) {
        self.limited.store(limit, ordering: .relaxed)
        self.look()
    }

    /// Adds to the bytes that are held; negative: fewer. Returns whether that raised the level.
    @discardableResult
    public func add(_ bytes: Int) -> Bool {
        let total = self.used.add(bytes, ordering: .relaxed).newValue
        if total > self.most.load(ordering: .relaxed) { self.most.store(total, ordering: .relaxed) }
        return self.look()
    }

    /// The same for bytes that are put into a mailbox, or taken out (negative).
    @discardableResult
    public func add(mailbox bytes: Int) -> Bool {
        self.mailbox.add(bytes, ordering: .relaxed)
        return self.add(bytes)
    }

    /// Updates the level. Two threads that do so at once may leave a wrong one for a moment; the next call corrects it, at the latest that
    /// of the control thread. Returns whether the level has risen.
    @discardableResult
    public func look() -> Bool {
        let before = self.level
        let level = before.next(total: self.total, limit: self.limit)
        if level != before { self.reached.store(level.rawValue, ordering: .relaxed) }
        return level > before
    }

    /// The most bytes that were held since the last call.
    public func takePeak() -> Int { self.most.exchange(self.total, ordering: .relaxed) }
}
