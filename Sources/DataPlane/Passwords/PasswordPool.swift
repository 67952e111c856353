internal import Configuration
internal import Credentials
internal import Synchronization
public import System

/// Verifies passwords for all workers: which are remembered, which may be hashed, and the threads that hash them.
///
/// It is shared, because clients that guess come to all workers, and their limits hold for all together. What a worker does under the lock is
/// short; hashes are computed outside of it.
public final class PasswordPool: Sendable {
    let threads: CallThreads
    private let state = Mutex(State())

    private struct State {
        var memory = PasswordMemory()
        var wrong = WrongPasswords<IPNetwork>()
        /// The passwords that are hashed, or wait for that.
        var hashing = 0
        /// The requests of each address that are not answered yet; those that pause, too.
        var requests: [IPNetwork: Int] = [:]
    }

    /// How many threads hash.
    static let mostThreads = 2
    /// With as many processors as there are workers, each hash would otherwise take half of one for tenths of seconds.
    private static let niceness: Int32 = 5
    /// How many passwords may be hashed or wait for that.
    static let most = 64
    /// How many requests of an address may wait on routes.
    public static let mostOfAddress = 4
    private let mostOfAddress: Int

    /// No thread runs before the first password. Throws if the system has no descriptor to wake them.
    ///
    /// - Parameter mostOfAddress: how many requests of an address may wait.
    public init(mostOfAddress: Int = PasswordPool.mostOfAddress) throws(SystemError) {
        self.mostOfAddress = mostOfAddress
        self.threads = try CallThreads("gateway-hash", most: Self.mostThreads, niceness: Self.niceness)
    }

    /// What becomes of a request with a password.
    enum Entry: Equatable {
        /// The password is remembered as right.
        case isKnown
        /// It is not verified: too many are.
        case isCrowded
        /// It is counted for its address until `leave`, and may be hashed after this pause.
        case waits(Duration)
    }

    /// A request has come.
    ///
    /// - Parameter address: of the client, in the unit of `IPAddress.subscriber`; `nil`: it has none, and is not counted.
    func enter(
        _ credential: BasicCredential, of file: PasswordFile, from address: IPNetwork?, now: MonotonicInstant
    ) -> Entry {
        self.state.withLock { state in
            if state.memory.knows(credential, of: file, now: now.sinceZero) { return .isKnown }
            guard state.hashing < Self.most else { return .isCrowded }
            guard let address else { return .waits(.zero) }
            guard state.requests[address, default: 0] < self.mostOfAddress else { return .isCrowded }
            state.requests[address, default: 0] += 1
            return .waits(state.wrong.pause(for: address, now: now.sinceZero))
        }
    }

    /// A request that has entered needs its place no more.
    func leave(_ address: IPNetwork?) {
        guard let address else { return }
        self.state.withLock { state in
            let count = state.requests[address, default: 0]
            state.requests[address] = count > 1 ? count - 1 : nil
        }
    }

    /// Takes a place for a hash, which `hash` gives back.
    ///
    /// - Returns: whether there was one.
    func takePlace() -> Bool {
        self.state.withLock { state in
            guard state.hashing < Self.most else { return false }
            state.hashing += 1
            return true
        }
    }

    /// A place is given back without a hash.
    func givePlaceBack() { self.state.withLock { $0.hashing -= 1 } }

    /// Verifies a password, and remembers what came of it. Blocks for tenths of seconds.
    ///
    /// - Parameter request: it has a place, which is free then, and so is that of its address.
    /// - Returns: whether it is right; false for a request that is not wanted any more.
    func hash(_ request: PasswordRequest) -> Bool {
        defer {
            self.givePlaceBack()
            self.leave(request.address)
        }
        guard request.isWanted else { return false }
        let (credential, file) = (request.credential, request.file)
        // Another request of the same page may have been first.
        let isKnown = self.state.withLock {
            $0.memory.knows(credential, of: file, now: MonotonicInstant.now().sinceZero)
        }
        guard !isKnown else { return true }
        let isRight = file.accepts(credential)
        self.state.withLock { state in
            let now = MonotonicInstant.now().sinceZero
            if isRight {
                state.memory.remember(credential, of: file, now: now)
            } else if let address = request.address {
                state.wrong.add(address, now: now)
            }
        }
        return isRight
    }
}

/// A password that is to be hashed.
final class PasswordRequest: Sendable {
    let credential: BasicCredential
    let file: PasswordFile
    let address: IPNetwork?
    private let isCancelled = Atomic(false)

    init(_ credential: BasicCredential, of file: PasswordFile, from address: IPNetwork?) {
        self.credential = credential
        self.file = file
        self.address = address
    }

    /// Whether its client waits for it.
    var isWanted: Bool { !self.isCancelled.load(ordering: .relaxed) }

    /// Its client does not wait for it any more.
    func cancel() { self.isCancelled.store(true, ordering: .relaxed) }
}

extension MonotonicInstant {
    /// Since the clock's own zero.
    fileprivate var sinceZero: Duration { .nanoseconds(self.nanoseconds) }
}
