/// How many wrong passwords came from each address within a minute, so that guessing takes long.
public struct WrongPasswords<Address: Hashable & Sendable>: Sendable {
    /// How many an address may send within `period` before its requests wait.
    public static var most: Int { 10 }
    /// How long one counts.
    public static var period: Duration { .seconds(60) }
    /// How long a request waits then, before its password is hashed.
    public static var pause: Duration { .seconds(1) }

    /// The times of the last `most` of each address, from the oldest.
    private var times: [Address: [Duration]] = [:]
    private let mostAddresses: Int

    /// - Parameter mostAddresses: of how many addresses it keeps count. Those that have been quiet longest are forgotten first.
    public init(mostAddresses: Int = 10_000) {
        self.mostAddresses = mostAddresses
    }

    /// How long a request of an address has to wait; zero: not at all.
    ///
    /// - Parameter now: since an arbitrary zero.
    public func pause(for address: Address, now: Duration) -> Duration {
        guard let times = self.times[address], times.count >= Self.most, now - times[0] < Self.period else {
            return .zero
        }
        return Self.pause
    }

    /// Counts a wrong password.
    public mutating func add(_ address: Address, now: Duration) {
        if self.times[address] == nil, self.times.count >= self.mostAddresses { self.makeRoom(now: now) }
        self.times[address, default: []].append(now)
        if self.times[address, default: []].count > Self.most { self.times[address]?.removeFirst() }
    }

    private mutating func makeRoom(now: Duration) {
        self.times = self.times.filter { now - ($0.value.last ?? .zero) < Self.period }
        guard self.times.count >= self.mostAddresses else { return }
        let quietest = self.times.min { ($0.value.last ?? .zero) < ($1.value.last ?? .zero) }
        if let quietest { self.times[quietest.key] = nil }
    }
}
