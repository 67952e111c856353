internal import System

/// How to connect to a host at one of its addresses (RFC 8305 section 5). The clock is passed in.
///
/// Addresses are tried in order. If one does not answer, the next is tried beside it, and the first to connect wins. After a failure the
/// next is tried at once. One time limit covers all of them and the TLS handshake with the winner. An address is identified by its index.
public struct AddressRace: Sendable {
    enum Step: Equatable, Sendable {
        /// Begin to connect to this address. The attempt counts as running until it is `postponed` or an event ends it.
        case connect(Int)
        /// Stop trying this address.
        case stop(Int)
        /// Nothing to do before this time, unless something happens.
        case wait(until: MonotonicInstant)
        case over(Failure)
    }

    /// Why no address could be connected to.
    public struct Failure: Equatable, Sendable {
        /// For the log; with several addresses, each has its own reason.
        public let reason: String
        /// How many addresses did not answer.
        public let silent: Silent
        /// One address could be connected to, but its TLS handshake took too long.
        public let isInHandshake: Bool

        init(reason: String, silent: Silent, isInHandshake: Bool = false) {
            self.reason = reason
            self.silent = silent
            self.isInHandshake = isInHandshake
        }
    }

    /// How many addresses did not answer at all.
    public enum Silent: Equatable, Sendable {
        case none
        case some
        case all
    }

    /// How long an address is tried before the next one is tried beside it (RFC 8305's "Connection Attempt Delay").
    static let delay = Duration.milliseconds(250)
    /// The shortest such delay, however many addresses share the time limit.
    static let shortestDelay = Duration.milliseconds(10)
    /// How many addresses are tried at a time: each takes a descriptor. The one that was tried longest makes room.
    static let mostAtOnce = 4

    private let addresses: [SocketAddress]
    private let delay: Duration
    private let deadline: MonotonicInstant
    /// The addresses not tried yet, the next one first.
    private var waiting: [Int]
    /// The addresses being tried, the oldest attempt first.
    private var running: [Int] = []
    /// The address that is connected. It may still fail in its TLS handshake.
    private var winner: Int?
    private var nextStart: MonotonicInstant
    private var failures: [(address: Int, reason: String, isTimeout: Bool)] = []
    /// The addresses to be remembered as failed that `takeFailures` has not returned yet.
    private var unremembered: [Int] = []

    /// - Parameters:
    ///   - addresses: in the order to try them.
    ///   - limit: the time for all of them together.
    ///   - end: when the owner's own time is over.
    init(
        _ addresses: [SocketAddress], at now: MonotonicInstant, within limit: Duration,
        until end: MonotonicInstant = .never
    ) {
        self.addresses = addresses
        // Every address has to get its turn.
        self.delay = max(Self.shortestDelay, min(Self.delay, limit / max(1, addresses.count)))
        self.deadline = min(now + limit, end)
        self.waiting = Array(addresses.indices)
        self.nextStart = now
    }

    // MARK: - What to do

    /// Call it until it returns `wait` or `over`, then again at the time that `wait` names and after anything happened.
    mutating func step(at now: MonotonicInstant) -> Step {
        guard now < self.deadline else { return .over(self.timeOut()) }
        guard self.winner == nil else { return .wait(until: self.deadline) }
        guard !self.waiting.isEmpty else {
            return self.running.isEmpty ? .over(self.failure) : .wait(until: self.deadline)
        }
        guard self.running.isEmpty || now >= self.nextStart else {
            return .wait(until: min(self.nextStart, self.deadline))
        }
        guard self.running.count < Self.mostAtOnce else {
            let oldest = self.running.removeFirst()
            self.note(oldest, Self.silence, isTimeout: true)
            return .stop(oldest)
        }
        let next = self.waiting.removeFirst()
        self.running.append(next)
        self.nextStart = now + self.delay
        return .connect(next)
    }

    /// The addresses that failed or were overtaken since the last call.
    mutating func takeFailures() -> [Int] {
        defer { self.unremembered = [] }
        return self.unremembered
    }

    // MARK: - What happens

    /// The address could not be connected to, or was the winner and failed later.
    mutating func failed(_ address: Int, because reason: String, isTimeout: Bool = false, at now: MonotonicInstant) {
        self.running.removeAll { $0 == address }
        if self.winner == address { self.winner = nil }
        self.note(address, reason, isTimeout: isTimeout)
        self.nextStart = now
    }

    /// There is no descriptor for the address at present.
    ///
    /// - Returns: whether others are being tried: then wait for them.
    mutating func postponed(_ address: Int, at now: MonotonicInstant) -> Bool {
        self.running.removeAll { $0 == address }
        self.waiting.insert(address, at: 0)
        self.nextStart = now + self.delay
        return !self.running.isEmpty
    }

    /// The address is connected.
    ///
    /// Those that were tried for longer are remembered as failed. If the winner fails later, they are tried again, after the others.
    ///
    /// - Returns: the addresses to stop trying.
    mutating func connected(_ address: Int) -> [Int] {
        let others = self.running.filter { $0 != address }
        let overtaken = self.running.prefix(while: { $0 != address })
        self.unremembered += overtaken
        self.waiting = others.filter { !overtaken.contains($0) } + self.waiting + overtaken
        self.running = []
        self.winner = address
        return others
    }

    // MARK: - Failures

    private static let silence = "timed out"

    private mutating func note(_ address: Int, _ reason: String, isTimeout: Bool) {
        self.unremembered.append(address)
        self.failures.append((address, reason, isTimeout))
    }

    /// The time is over.
    private mutating func timeOut() -> Failure {
        for address in self.running { self.note(address, Self.silence, isTimeout: true) }
        self.running = []
        if let winner = self.winner { self.note(winner, "the TLS handshake timed out", isTimeout: true) }
        let failure = self.failure
        return Failure(
            reason: failure.reason, silent: failure.silent == .all ? .all : .some, isInHandshake: self.winner != nil)
    }

    private var failure: Failure {
        let timeouts = self.failures.count(where: \.isTimeout)
        let silent: Silent = timeouts == 0 ? .none : timeouts < self.failures.count ? .some : .all
        guard self.addresses.count > 1 else {
            let reason = self.failures.last?.reason ?? "no address"
            let words = reason == Self.silence ? "connecting timed out" : reason
            return Failure(reason: words, silent: silent)
        }
        let reasons = self.failures.map { "\(self.addresses[$0.address]): \($0.reason)" }
        return Failure(reason: reasons.joined(separator: ", "), silent: silent)
    }
}
