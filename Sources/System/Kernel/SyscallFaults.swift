internal import Glibc
internal import Synchronization

/// Makes system calls fall short, for tests: in debug builds only, and for the whole process.
///
/// A short write and an exhausted descriptor table are rare in the wild and exactly where relays break.
package enum SyscallFaults {
    #if DEBUG
    private static let transferLimit = Atomic<Int>(.max)
    private static let exhaustedAccepts = Atomic<Int>(0)
    private static let smallestBatch = Atomic<Int>(.max)
    private static let hasNoRings = Atomic<Bool>(false)

    /// The most bytes that one `receive` or `send` moves.
    package static func limitTransfers(to bytes: Int) { self.transferLimit.store(bytes, ordering: .relaxed) }

    /// Lets the next `count` accepts fail as if the process had no descriptor left.
    package static func exhaustDescriptors(forAccepts count: Int) {
        self.exhaustedAccepts.store(count, ordering: .relaxed)
    }

    /// Lets sends be staged in every turn, and be sent by a ring however few they are.
    package static func batchEverything() { self.smallestBatch.store(1, ordering: .relaxed) }

    /// Lets the system have no rings, like an old one, or one on which they are not allowed.
    package static func refuseRings() { self.hasNoRings.store(true, ordering: .relaxed) }

    private static let turn = Mutex<Void>(())

    /// Runs a test whose system calls no other test may disturb, and that may disturb none: one at a time. Faults end with it.
    package static func exclusively(_ body: () throws -> Void) rethrows {
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

    static func acceptError() -> SystemError? {
        guard self.exhaustedAccepts.load(ordering: .relaxed) > 0 else { return nil }
        self.exhaustedAccepts.subtract(1, ordering: .relaxed)
        return SystemError("accept", EMFILE)
    }

    static func batched(from count: Int) -> Int { min(count, self.smallestBatch.load(ordering: .relaxed)) }

    static var refusesRings: Bool { self.hasNoRings.load(ordering: .relaxed) }
    #else
    @inline(__always) static func capped(_ count: Int) -> Int { count }
    @inline(__always) static func acceptError() -> SystemError? { nil }
    @inline(__always) static func batched(from count: Int) -> Int { count }
    @inline(__always) static var refusesRings: Bool { false }
    #endif
}
