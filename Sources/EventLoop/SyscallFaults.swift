internal import Glibc
internal import Synchronization

/// Makes system calls fall short, for tests: in debug builds only, and for the whole process.
///
/// A short write and an exhausted descriptor table are rare in the wild and exactly where relays break.
package enum SyscallFaults {
    #if DEBUG
    private static let transferLimit = Atomic<Int>(.max)
    private static let exhaustedAccepts = Atomic<Int>(0)

    /// The most bytes that one `receive` or `send` moves.
    package static func limitTransfers(to bytes: Int) { self.transferLimit.store(bytes, ordering: .relaxed) }

    /// Lets the next `count` accepts fail as if the process had no descriptor left.
    package static func exhaustDescriptors(forAccepts count: Int) {
        self.exhaustedAccepts.store(count, ordering: .relaxed)
    }

    private static let turn = Mutex<Void>(())

    /// Runs a test whose system calls no other test may disturb, and that may disturb none: one at a time. Faults end with it.
    package static func exclusively(_ body: () throws -> Void) rethrows {
        try self.turn.withLock { _ in
            defer {
                self.transferLimit.store(.max, ordering: .relaxed)
                self.exhaustedAccepts.store(0, ordering: .relaxed)
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
    #else
    @inline(__always) static func capped(_ count: Int) -> Int { count }
    @inline(__always) static func acceptError() -> SystemError? { nil }
    #endif
}
