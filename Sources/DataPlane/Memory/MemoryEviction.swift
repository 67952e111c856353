public import Sessions

/// Who gives way where memory is scarce. It decides; `MemoryWatch` asks the workers, and has them act.
///
/// An address can have sessions on every worker, and the only honest session of a worker must not go because the others are elsewhere: so
/// one place decides for all, the control thread, by what the workers report. Nothing is lost in the milliseconds that takes: meanwhile
/// each leg queues one read at most, and what is assembled does not grow past the bound. In the steady state, where nothing is held,
/// nobody asks.
///
/// The rule:
/// - Nobody gives way below the bound while no message waits to be begun. While one does, those do that have stalled (no progress for
///   `timeouts.close`), until it fits. It does not wait for ever behind those that send a byte now and then: each time its wait
///   doubles, the time without progress is halved. At the bound all these halvings are made at once, and then everyone can be meant. So
///   who reads and sends goes after all who do not.
/// - Among these comes first the address that holds most, and of its sessions the one that has made no progress for longest. The largest
///   session of an address that makes progress does not count as held by it, and goes last: whoever uploads 16 MiB holds more than each of
///   3,000 that come from as many addresses, hold 900 KiB and send now and then.
public struct MemoryEviction: Equatable, Sendable {
    /// How often the time without progress that a session may have is halved at most.
    public static let halvings = 5

    public let level: MemoryLevel
    public let total: Int
    /// What messages that were begun will still bring.
    public var promised = 0
    public let limit: Int

    public init(level: MemoryLevel, total: Int, promised: Int = 0, limit: Int) {
        self.level = level
        self.total = total
        self.promised = promised
        self.limit = limit
    }

    /// The sessions that have to give way, in that order.
    public func victims(among report: MemoryReport) -> [SessionID] {
        var missing = self.missing(for: report)
        guard missing > 0 else { return [] }
        // At the bound one more: then the time does not matter.
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

    /// How many bytes have to be given up.
    private func missing(for report: MemoryReport) -> Int {
        let sixteenth = self.limit / 16
        if self.level == .full { return self.total - 15 * sixteenth + 1 }
        guard report.wanted > 0 else { return 0 }
        // Down to where there is room again, and by so much that what waits fits. The last quarter is for what was begun.
        let fitting = self.total + self.promised + min(report.wanted, 4 * sixteenth) - 12 * sixteenth
        return self.level == .scarce ? max(self.total - 11 * sixteenth + 1, fitting) : fitting
    }
}

extension MemoryHolder {
    /// Whether it goes after `other`, where nothing is to be said of their addresses: of two that are held back by us the one that has sent
    /// less loses less; one that has hardly begun makes no room.
    fileprivate func goesLater(than other: MemoryHolder) -> Bool {
        guard self.isWaiting == other.isWaiting else { return self.isWaiting }
        return (self.idle, -self.bytes) < (other.idle, -other.bytes)
    }
}

/// Sessions in the order in which they give way: as each of them goes, its address holds less.
private struct Ranking {
    private struct Address {
        /// What counts as held by it.
        var bytes: Int
        /// Those that may have to go, the next one last.
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

    /// - Parameter all: everyone that holds something, the candidates among them.
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
