public import System

/// The addresses of an endpoint's host, and which of them failed recently. The clock is passed in.
public struct AddressBook: Sendable {
    /// How long an address that failed is tried last.
    public static let failureMemory = Duration.seconds(60)

    /// In the system's order of preference. A failed look-up keeps the last good addresses.
    public private(set) var known: Result<[SocketAddress], ResolveError> = .success([])
    /// When each address last failed.
    private var failures: [SocketAddress: MonotonicInstant] = [:]

    /// Stores the answer of a look-up.
    ///
    /// - Returns: whether anything changed. Another order is no change, because name servers shuffle their answers.
    public mutating func update(_ answer: Result<[SocketAddress], ResolveError>) -> Bool {
        switch (self.known, answer) {
        case (.success(let old), .success(let new)):
            self.known = answer
            self.failures = self.failures.filter { new.contains($0.key) }
            return Set(old) != Set(new)
        case (.success(let old), .failure) where !old.isEmpty: return false
        case (.success, .failure), (.failure, .success), (.failure, .failure):
            defer { self.known = answer }
            return self.known != answer
        }
    }

    /// The addresses in the order to try them. Good ones come first, rotated at random, so that each is first equally often. Those that
    /// failed recently come last, the earliest failure first.
    public mutating func inOrder(
        at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> Result<[SocketAddress], ResolveError> {
        guard case .success(let addresses) = self.known, addresses.count > 1 else { return self.known }
        self.failures = self.failures.filter { now - $0.value < Self.failureMemory }
        let failed = self.failures.sorted { $0.value < $1.value }.map(\.key)
        let good = addresses.filter { self.failures[$0] == nil }
        let first = good.isEmpty ? 0 : Int.random(in: good.indices, using: &random)
        return .success(good[first...] + good[..<first] + failed)
    }

    /// The address could not be connected to, or another was faster.
    public mutating func failed(_ address: SocketAddress, at now: MonotonicInstant) {
        guard case .success(let addresses) = self.known, addresses.contains(address) else { return }
        self.failures[address] = now
    }

    /// The address could be connected to.
    public mutating func connected(_ address: SocketAddress) { self.failures[address] = nil }
}
