internal import Glibc
internal import Synchronization

/// Makes system calls fall short, for tests. Only in debug builds, and for the whole process.
///
/// Short writes and a lack of descriptors are rare in practice, and are exactly where relays break.
public enum SyscallFaults {
    #if DEBUG
    private static let transferLimit = Atomic<Int>(.max)
    private static let exhaustedAccepts = Atomic<Int>(0)
    private static let smallestBatch = Atomic<Int>(.max)
    private static let hasNoRings = Atomic<Bool>(false)

    /// Limits the bytes that one `receive` or `send` moves.
    public static func limitTransfers(to bytes: Int) { self.transferLimit.store(bytes, ordering: .relaxed) }

    /// Makes the next `count` accepts fail as if the process had no descriptor left.
    public static func exhaustDescriptors(forAccepts count: Int) {
        self.exhaustedAccepts.store(count, ordering: .relaxed)
    }

    /// Stages sends in every turn, and sends them by a ring however few they are.
    public static func batchEverything() { self.smallestBatch.store(1, ordering: .relaxed) }

    /// Refuses rings, as an old system does, or one on which they are not allowed.
    public static func refuseRings() { self.hasNoRings.store(true, ordering: .relaxed) }

    private static let turn = Mutex<Void>(())

    /// Runs a test while no other test runs in here, so that its faults do not disturb others. The faults end with it.
    public static func exclusively(_ body: () throws -> Void) rethrows {
        try self.turn.withLock { _ in
            defer {
                self.transferLimit.store(.max, ordering: .relaxed)
                self.exhaustedAccepts.store(0, ordering: .relaxed)
                self.smallestBatch.store(.max, ordering: .relaxed)
                self.hasNoRings.store(false, ordering: .relaxed)
            }
            try body()
        }
    }

    static func capped(_ count: Int) -> Int { min(count, self.transferLimit.load(ordering: .relaxed)) }

    static func takeAcceptError() -> SystemError? {
        guard self.exhaustedAccepts.load(ordering: .relaxed) > 0 else { return nil }
        self.exhaustedAccepts.subtract(1, ordering: .relaxed)
        return SystemError("accept", EMFILE)
    }

    static func batched(from count: Int) -> Int { min(count, self.smallestBatch.load(ordering: .relaxed)) }

    static var refusesRings: Bool { self.hasNoRings.load(ordering: .relaxed) }
    #else
    @inline(__always) static func capped(_ count: Int) -> Int { count }
    @inline(__always) static func takeAcceptError() -> SystemError? { nil }
    @inline(__always) static func batched(from count: Int) -> Int { count }
    @inline(__always) static var refusesRings: Bool { false }
    #endif
}
