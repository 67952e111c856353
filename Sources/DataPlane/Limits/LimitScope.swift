internal import Configuration
internal import Synchronization
internal import System

/// What counts against the `ScopeLimits` of a route, of a listener or of the whole gateway: on all workers together, and across reloads.
public final class LimitScope: Sendable {
    /// Those that are being opened included.
    private let sessions = Atomic<Int>(0)
    private let addresses = AddressCounts()
    private let handshakes = AddressRates()
    private let requests = AddressRates()

    /// Nothing counts yet.
    public init() {}

    // MARK: - Sessions

    /// Counts one more session. It is counted without limits, too, so that those that a reload sets find it.
    ///
    /// - Parameter address: the client's; `nil` if it is not counted.
    /// - Returns: the limit that is in the way; then nothing is counted.
    func begin(_ address: IPNetwork?, _ limits: ScopeLimits) -> ReachedLimit.Key? {
        guard self.sessions.add(1, ordering: .relaxed).newValue <= limits.sessions ?? .max else {
            self.sessions.subtract(1, ordering: .relaxed)
            return .sessions
        }
        if let address, !self.addresses.add(address, limit: limits.sessionsPerAddress) {
            self.sessions.subtract(1, ordering: .relaxed)
            return .sessionsPerAddress
        }
        return nil
    }

    /// A session that was counted is over.
    func end(_ address: IPNetwork?) {
        self.sessions.subtract(1, ordering: .relaxed)
        if let address { self.addresses.remove(address) }
    }

    // MARK: - Requests

    /// How long it takes until the address may send another request; `nil`: it may now.
    func wait(_ address: IPNetwork, isUpgrade: Bool, _ limits: ScopeLimits, at now: MonotonicInstant) -> Duration? {
        guard let rate = limits.rate(isUpgrade: isUpgrade) else { return nil }
        return self.rates(isUpgrade).wait(address, rate: rate, at: now)
    }

    /// Counts a request.
    func take(_ address: IPNetwork, isUpgrade: Bool, _ limits: ScopeLimits, at now: MonotonicInstant) {
        guard let rate = limits.rate(isUpgrade: isUpgrade) else { return }
        self.rates(isUpgrade).take(address, rate: rate, at: now)
    }

    private func rates(_ isUpgrade: Bool) -> AddressRates { isUpgrade ? self.handshakes : self.requests }
}
