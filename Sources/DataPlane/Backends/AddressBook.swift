public import System

/// What an endpoint's host stands for, and which of its addresses failed of late. The clock is passed in.
public struct AddressBook: Sendable {
    /// For so long an address that failed is the last to be tried.
    public static let failureMemory = Duration.seconds(60)

    /// In the system's order of preference; a failed look-up leaves the last good ones.
    public private(set) var known: Result<[SocketAddress], ResolveError> = .success([])
    /// When an address last failed.
    private var failures: [SocketAddress: MonotonicInstant] = [:]

    /// Takes the answer of a look-up. Returns false if that changed nothing: name servers shuffle what they say.
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

    /// The addresses in the order in which they are to be tried: those that failed last, the one that failed first before the others. Of
    /// the rest each has its share of being the first.
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

    public mutating func failed(_ address: SocketAddress, at now: MonotonicInstant) {
        guard case .success(let addresses) = self.known, addresses.contains(address) else { return }
        self.failures[address] = now
    }

    public mutating func connected(_ address: SocketAddress) { self.failures[address] = nil }
}
