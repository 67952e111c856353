internal import System

/// How a host is connected to at one of its addresses (RFC 8305 section 5). The clock is passed in.
///
/// They are tried in their order. One that says nothing is not waited for: the next is tried beside it, and the first to connect wins.
/// After a failure the next is tried at once. All of them together, and the TLS handshake with the winner, have one time limit: what the
/// host may cost. An address is named by its place in the order.
public struct AddressRace: Sendable {
    enum Step: Equatable, Sendable {
        /// Begin to connect to this one. Unless `postponed` or an event says otherwise, that goes on.
        case connect(Int)
        /// Try this one no longer.
        case stop(Int)
        /// Nothing is to be done before that, unless something happens.
        case wait(until: MonotonicInstant)
        case over(Failure)
    }

    /// Why none could be connected to.
    public struct Failure: Equatable, Sendable {
        /// In a few words; of several addresses, each with its own.
        public let reason: String
        /// How many of them gave no answer.
        public let silent: Silent
        /// One of them could be connected to, and its TLS handshake took too long.
        public let isInHandshake: Bool

        init(reason: String, silent: Silent, isInHandshake: Bool = false) {
            self.reason = reason
            self.silent = silent
            self.isInHandshake = isInHandshake
        }
    }

    public enum Silent: Equatable, Sendable {
        case none
        case some
        case all
    }

    /// How long one is waited for before the next is tried beside it ("Connection Attempt Delay").
    static let delay = Duration.milliseconds(250)
    /// However many there are to be tried in the time that there is.
    static let shortestDelay = Duration.milliseconds(10)
    /// So many are tried at a time, and each of them takes a descriptor: the one that has been tried for longest makes room.
    static let mostAtOnce = 4

    private let addresses: [SocketAddress]
    private let delay: Duration
    private let deadline: MonotonicInstant
    /// Those to be tried, the next one first.
    private var waiting: [Int]
    /// Those being tried, in the order in which that began.
    private var running: [Int] = []
    /// It stands, and its owner may still find it of no use.
    private var winner: Int?
    private var nextStart: MonotonicInstant
    private var failures: [(address: Int, reason: String, isTimeout: Bool)] = []
    /// Those that are to be remembered as failed, and were not taken yet.
    private var unremembered: [Int] = []

    /// - Parameters:
    ///   - addresses: in the order in which they are to be tried.
    ///   - limit: what all of them may cost.
    ///   - end: when its owner's own time is over.
    init(
        _ addresses: [SocketAddress], at now: MonotonicInstant, within limit: Duration,
        until end: MonotonicInstant = .never
    ) {
        self.addresses = addresses
        // Each has to have its turn.
        self.delay = max(Self.shortestDelay, min(Self.delay, limit / max(1, addresses.count)))
        self.deadline = min(now + limit, end)
        self.waiting = Array(addresses.indices)
        self.nextStart = now
    }

    // MARK: - What is to be done

    /// To be asked again until it says `wait` or `over`, and then when that is over and when something happened.
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

    /// The addresses that failed, or were overtaken, since this was asked last.
    mutating func takeFailures() -> [Int] {
        defer { self.unremembered = [] }
        return self.unremembered
    }

    // MARK: - What happens

    /// It could not be connected to, or, as the winner, is of no use.
    mutating func failed(_ address: Int, because reason: String, isTimeout: Bool = false, at now: MonotonicInstant) {
        self.running.removeAll { $0 == address }
        if self.winner == address { self.winner = nil }
        self.note(address, reason, isTimeout: isTimeout)
        self.nextStart = now
    }

    /// There is no descriptor for it at present. Returns whether others are being tried, which is to be waited for.
    mutating func postponed(_ address: Int, at now: MonotonicInstant) -> Bool {
        self.running.removeAll { $0 == address }
        self.waiting.insert(address, at: 0)
        self.nextStart = now + self.delay
        return !self.running.isEmpty
    }

    /// It stands. Returns those that are to be tried no longer.
    ///
    /// Those that were tried for longer are remembered as failed. Should the winner be of no use, they are tried again, after the others.
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
