internal import Synchronization

/// Shows an operator the frames of sessions. Workers send it what they have; the control thread passes it on.
///
/// No session waits for a tail: what the control thread has not taken is bounded, and frames that do not fit are only counted.
public final class Tail: Sendable {
    /// What a tail says.
    public enum News: Equatable, Sendable {
        case frame(TailedFrame)
        /// So many frames were left out.
        case skipped(Int)
        /// The only session is over.
        case ended
    }

    /// The most bytes of frames that wait at a time, where memory is ample.
    public static let mostWaiting = 4 << 20
    /// The part of the bound on memory that may wait in one tail. All tails together must not have it from sessions.
    private static let share = 256

    /// What it shows.
    public let selection: TailSelection
    /// Whether payloads are shown, or only what frames they are in.
    public let showsPayloads: Bool
    private let memory: MemoryBound
    private let most: Int
    private let memoryRose: @Sendable () -> Void
    private let deliver: @Sendable (Tail, [News]) -> Void
    private let waiting = Atomic<Int>(0)
    private let skipped = Atomic<Int>(0)

    /// - Parameters:
    ///   - memory: the bound that the waiting bytes count in.
    ///   - memoryRose: called on any thread when they raise its level.
    ///   - deliver: called on any thread with what is to be said, in order.
    public init(
        _ selection: TailSelection, showsPayloads: Bool, _ memory: MemoryBound,
        memoryRose: @escaping @Sendable () -> Void, deliver: @escaping @Sendable (Tail, [News]) -> Void
    ) {
        self.selection = selection
        self.showsPayloads = showsPayloads
        self.memory = memory
        self.most = min(Self.mostWaiting, memory.limit / Self.share)
        self.memoryRose = memoryRose
        self.deliver = deliver
    }

    deinit { self.memory.add(mailbox: -self.waiting.load(ordering: .relaxed)) }

    // MARK: - Workers

    /// Counts `bytes` that will wait. Returns false, and counts none, if they do not fit, or memory is scarce.
    func reserve(_ bytes: Int) -> Bool {
        guard !self.memory.isScarce else { return false }
        guard self.waiting.add(bytes, ordering: .relaxed).newValue <= self.most else {
            self.waiting.subtract(bytes, ordering: .relaxed)
            return false
        }
        if self.memory.add(mailbox: bytes) { self.memoryRose() }
        return true
    }

    /// A frame is left out.
    func skip() { self.skipped.add(1, ordering: .relaxed) }

    /// Sends news to the control thread.
    func send(_ news: [News]) { self.deliver(self, news) }

    // MARK: - The control thread, too

    /// So many bytes that were reserved do not wait any more.
    public func release(_ bytes: Int) {
        self.waiting.subtract(bytes, ordering: .relaxed)
        self.memory.add(mailbox: -bytes)
    }

    /// How many frames were left out since the last call.
    public func takeSkipped() -> Int {
        guard self.skipped.load(ordering: .relaxed) > 0 else { return 0 }
        return self.skipped.exchange(0, ordering: .relaxed)
    }
}
