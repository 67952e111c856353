import Configuration
import System
import TestSupport
import Testing

@testable import DataPlane

@Suite struct NewcomersTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func network(_ text: String) -> IPNetwork? { IPAddress(text)?.subscriber }

    /// Adds numbered connections for these addresses (`-` counts as one of its own), 100 ms apart.
    private func newcomers(_ addresses: [String]) -> (Newcomers<Int>, [Newcomers<Int>.Place]) {
        var newcomers = Newcomers<Int>()
        let places = addresses.enumerated().map { number, address in
            newcomers.add(number, from: self.network(address), at: Self.start + .milliseconds(100 * number))
        }
        return (newcomers, places)
    }

    /// - Parameters:
    ///   - time: in milliseconds since the first.
    @Test(
        arguments: [
            ([], 5000, nil),
            (["192.0.2.1"], 1000, nil), (["192.0.2.1"], 1001, 0),
            // The oldest one of the address with the most goes, even if others are older.
            (["192.0.2.9", "192.0.2.1", "192.0.2.1"], 5000, 1), (["192.0.2.1", "192.0.2.9", "192.0.2.9"], 5000, 1),
            // If that one is too young, no other goes.
            (["192.0.2.9", "192.0.2.1", "192.0.2.1"], 1050, nil),
            // Of equal counts, the address that has had its count longest comes first.
            (["192.0.2.1", "192.0.2.2", "192.0.2.3"], 5000, 0), (["192.0.2.1", "192.0.2.2", "192.0.2.2"], 5000, 1),
            (["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.1"], 5000, 1),
            // A /64 counts as one address. IPv4 addresses count whole, also when mapped into IPv6.
            (["192.0.2.1", "2001:db8::1", "2001:db8::ffff:2"], 5000, 1),
            (["192.0.2.1", "2001:db8::1", "2001:db8:0:1::1"], 5000, 0),
            (["192.0.2.9", "192.0.2.1", "::ffff:192.0.2.1"], 5000, 1),
            (["::ffff:192.0.2.9", "::ffff:192.0.2.1", "192.0.2.1"], 5000, 1),
            // Connections that count as addresses of their own never have the most, unless no address has two.
            (["-", "-", "-", "192.0.2.1", "192.0.2.1"], 5000, 3), (["-", "-", "192.0.2.1"], 5000, 0),
        ] as [([String], Int, Int?)])
    func theAddressWithMostLosesItsOldest(addresses: [String], time: Int, victim: Int?) {
        let (newcomers, _) = self.newcomers(addresses)
        #expect(newcomers.victim(at: Self.start + .milliseconds(time)) == victim)
        #expect(newcomers.count == addresses.count)
    }

    @Test func `a removed connection is never chosen`() {
        var (newcomers, places) = self.newcomers(["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.1", "-"])
        let late = Self.start + .seconds(60)
        #expect(newcomers.victim(at: late) == 0)
        newcomers.remove(places[0])
        newcomers.remove(places[1])
        newcomers.remove(places[1])
        #expect(newcomers.count == 4)
        #expect(newcomers.victim(at: late) == 2)
        for place in places[2...] { newcomers.remove(place) }
        #expect(newcomers.count == 0)
        #expect(newcomers.victim(at: late) == nil)
        _ = newcomers.add(7, from: self.network("192.0.2.7"), at: Self.start)
        #expect(newcomers.victim(at: late) == 7)
    }

    /// Compared with a list that is searched from end to end.
    @Test(arguments: 0..<20) func `connections may come and go in any order`(seed: UInt64) {
        struct Entry {
            let member: Int
            let address: String
            let since: MonotonicInstant
            let place: Newcomers<Int>.Place
        }
        var random = SeededGenerator(seed: seed)
        var newcomers = Newcomers<Int>()
        var entries: [Entry] = []
        /// When an address reached its present number of connections.
        var changed: [String: Int] = [:]
        var now = Self.start
        for step in 0..<2000 {
            now = now + .milliseconds(Int.random(in: 0..<60, using: &random))
            // First more come than leave, then fewer: there are many, then none.
            if entries.isEmpty || Int.random(in: 0..<10, using: &random) < (step % 500 < 250 ? 7 : 3) {
                let isOwn = Int.random(in: 0..<5, using: &random) == 0
                let address = isOwn ? "own \(step)" : "192.0.2.\(Int.random(in: 0..<6, using: &random))"
                let place = newcomers.add(step, from: isOwn ? nil : self.network(address), at: now)
                entries.append(Entry(member: step, address: address, since: now, place: place))
                changed[address] = step
            } else {
                let entry = entries.remove(at: Int.random(in: 0..<entries.count, using: &random))
                newcomers.remove(entry.place)
                changed[entry.address] = step
            }
            let counts = Dictionary(grouping: entries, by: \.address).mapValues(\.count)
            let worst = counts.min { ($1.value, changed[$0.key] ?? 0) < ($0.value, changed[$1.key] ?? 0) }
            let oldest = entries.first { $0.address == worst?.key }
            let victim = oldest.flatMap { $0.since + .seconds(1) < now ? $0.member : nil }
            #expect(newcomers.victim(at: now) == victim)
            #expect(newcomers.count == entries.count)
        }
    }
}
