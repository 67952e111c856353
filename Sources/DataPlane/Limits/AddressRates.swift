internal import Balancing
internal import Configuration
internal import Synchronization
internal import System

/// How many requests each address sends, on all workers together: a bucket for each.
///
/// The memory is bounded, however many addresses there are: an address has one of the few places that its hash leads to. A bucket that is
/// full again leaves its place to others, because it is like a new one. If all places are taken by buckets that are not full, the fullest of
/// them goes: what it forgets is the least that can be forgotten.
final class AddressRates: Sendable {
    private struct Place {
        var address: IPNetwork?
        var bucket = RateBucket()
    }

    /// How many places a hash leads to.
    private static let ways = 8
    private let sets: Int
    /// Empty until the first request under a limit.
    private let places = Mutex<[Place]>([])

    /// - Parameter sets: the number of groups of eight places. By default 65,536 places, some 3 MiB.
    init(sets: Int = 8192) { self.sets = sets }

    /// How long it takes until the address may send another request; `nil`: it may now. Nothing is taken.
    ///
    /// - Parameter rate: requests per second.
    func wait(_ address: IPNetwork, rate: Double, at now: MonotonicInstant) -> Duration? {
        let wait = self.places.withLock { places in
            guard !places.isEmpty, let place = self.place(of: address, in: places).found else { return Int64(0) }
            return places[place].bucket.wait(for: 1, at: now.nanoseconds, rate: rate)
        }
        return wait == 0 ? nil : .nanoseconds(wait)
    }

    /// Takes a request from the address's bucket.
    func take(_ address: IPNetwork, rate: Double, at now: MonotonicInstant) {
        self.places.withLock { places in
            if places.isEmpty { places = Array(repeating: Place(), count: self.sets * Self.ways) }
            let (found, fullest) = self.place(of: address, in: places)
            if found == nil { places[fullest] = Place(address: address) }
            places[found ?? fullest].bucket.take(1, at: now.nanoseconds, rate: rate)
        }
    }

    /// The index of the address's place; and of the one that it gets if it has none.
    private func place(of address: IPNetwork, in places: [Place]) -> (found: Int?, fullest: Int) {
        // Seeded for each process, so that addresses that share a place cannot be chosen.
        let first = Int(UInt(bitPattern: address.hashValue) % UInt(self.sets)) * Self.ways
        var fullest = first
        for place in first..<(first + Self.ways) {
            if places[place].address == address { return (place, place) }
            if places[place].bucket.fullAt < places[fullest].bucket.fullAt { fullest = place }
        }
        return (nil, fullest)
    }
}
