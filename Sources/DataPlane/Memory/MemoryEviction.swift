public import Sessions

/// Which sessions end when memory is scarce. It decides; `MemoryWatch` asks the workers and has them act.
///
/// One place decides for all workers, because an address can have sessions on every worker: otherwise the only honest session of a worker
/// might end because the others are elsewhere. The milliseconds that this takes are harmless: meanwhile each leg queues one read at most,
/// and assembled bytes do not grow past the bound. In the steady state nothing is held, and no worker is asked.
///
/// The rule:
/// - Below the bound, no session ends while no message waits to begin. While one waits, sessions that have stalled (no progress for
///   `timeouts.close`) end until it fits. So that it does not wait forever behind sessions that send a byte now and then, the time without
///   progress is halved each time that the wait doubles. At the bound all halvings happen at once, and in the end every session may be
///   chosen. So a session that reads and sends ends after all that do not.
/// - Among these, the address that holds most comes first, and of its sessions the one without progress for longest. The largest
///   progressing session of an address does not count for it, and goes last: one client that uploads 16 MiB holds more than each of 3,000
///   addresses that hold 900 KiB and send now and then.
public struct MemoryEviction: Equatable, Sendable {
    /// The most halvings of the time that a session may be without progress.
    public static let halvings = 5

    /// How much of the bound is in use.
    public let level: MemoryLevel
    /// All bytes that are held.
    public let total: Int
    /// The bytes that messages already begun will still need.
    public var promised = 0
    /// The bound, in bytes.
    public let limit: Int

    /// The state of `MemoryBound`; all sizes in bytes.
    public init(level: MemoryLevel, total: Int, promised: Int = 0, limit: Int) {
        self.level = level
        self.total = total
        self.promised = promised
        self.limit = limit
    }

    /// The sessions that have to end, in order.
    public func victims(among report: MemoryReport) -> [SessionID] {
        var missing = self.missing(for: report)
        guard missing > 0 else { return [] }
        // At the bound there is one more round, in which the time does not matter.
        let last = self.level == .full ? Self.halvings + 1 : report.doublings
        var victims: [SessionID] = []
        var rest = report.holders
        for halving in 0...last {
            let divisor = halving > Self.halvings ? nil : 1 << halving
            func mayStay(_ holder: MemoryHolder) -> Bool { divisor.map { holder.idle < holder.patience / $0 } ?? false }
            let candidates = rest.filter { !mayStay($0) }
            guard !candidates.isEmpty else { continue }
            var ranking = Ranking(candidates, among: rest)
            while missing > 0, let victim = ranking.next() {
                victims.append(victim.session)
                missing -= victim.bytes + (self.level < .full ? victim.promised : 0)
            }
            guard missing > 0 else { break }
            rest = rest.filter(mayStay)
        }
        return victims
    }

    /// How many bytes have to be freed.
    private func missing(for report: MemoryReport) -> Int {
        let sixteenth = self.limit / 16
        if self.level == .full { return self.total - 15 * sixteenth + 1 }
        guard report.wanted > 0 else { return 0 }
        // Free enough that there is room again, and that the waiting message fits. The last quarter is for messages already begun.
        let fitting = self.total + self.promised + min(report.wanted, 4 * sixteenth) - 12 * sixteenth
        return self.level == .scarce ? max(self.total - 11 * sixteenth + 1, fitting) : fitting
    }
}

extension MemoryHolder {
    /// Whether it goes after `other`, apart from their addresses. Of two sessions that we hold back, the one that has sent less goes first,
    /// because less of its work is wasted; but one that has hardly begun frees nothing.
    fileprivate func goesLater(than other: MemoryHolder) -> Bool {
        guard self.isWaiting == other.isWaiting else { return self.isWaiting }
        return (self.idle, -self.bytes) < (other.idle, -other.bytes)
    }
}

/// Sessions in the order in which they end. When one is chosen, its address counts less.
private struct Ranking {
    private struct Address {
        /// The bytes that count for the address.
        var bytes: Int
        /// The sessions that may have to end, the next one last.
        var sessions: [MemoryHolder]

        /// Whether `left` goes after `right`.
        static func goesLater(_ left: Address, _ right: Address) -> Bool {
            guard left.bytes == right.bytes, let first = left.sessions.last, let second = right.sessions.last else {
                return left.bytes < right.bytes
            }
            return first.goesLater(than: second)
        }
    }

    /// The next one last.
    private var addresses: [Address]

    /// - Parameter all: all sessions that hold memory, the candidates included.
    init(_ candidates: [MemoryHolder], among all: [MemoryHolder]) {
        var held: [ClientNetwork: Int] = [:]
        var free: [ClientNetwork: MemoryHolder] = [:]
        for holder in all {
            held[holder.network, default: 0] += holder.bytes
            guard !holder.hasStalled else { continue }
            if let other = free[holder.network], (other.bytes, holder.idle) >= (holder.bytes, other.idle) { continue }
            free[holder.network] = holder
        }
        self.addresses = Dictionary(grouping: candidates, by: \.network).map { network, sessions in
            let freed = free[network]
            let sorted = sessions.sorted { left, right in
                guard (left.session == freed?.session) == (right.session == freed?.session) else {
                    return left.session == freed?.session
                }
                return left.goesLater(than: right)
            }
            return Address(bytes: held[network, default: 0] - (freed?.bytes ?? 0), sessions: sorted)
        }
        self.addresses.sort(by: Address.goesLater)
    }

    mutating func next() -> MemoryHolder? {
        guard var address = self.addresses.popLast(), let victim = address.sessions.popLast() else { return nil }
        address.bytes -= victim.bytes
        if !address.sessions.isEmpty { self.insert(address) }
        return victim
    }

    private mutating func insert(_ address: Address) {
        var (low, high) = (0, self.addresses.count)
        while low < high {
            let middle = (low + high) / 2
            if Address.goesLater(self.addresses[middle], address) { low = middle + 1 } else { high = middle }
        }
        self.addresses.insert(address, at: low)
    }
}
