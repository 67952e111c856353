import System
import Testing

@testable import Connections

@Suite struct AddressRaceTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private static func at(_ milliseconds: Int) -> MonotonicInstant { Self.start + .milliseconds(milliseconds) }

    private static func race(
        _ count: Int, within limit: Duration = .seconds(5), until end: MonotonicInstant = .never
    ) -> AddressRace {
        let addresses = (1...count).map { SocketAddress.ipv4(0x7F00_0000 + UInt32($0), port: 80) }
        return AddressRace(addresses, at: Self.start, within: limit, until: end)
    }

    private static func refused(_ names: [Int], _ reason: String = "refused") -> String {
        names.map { "127.0.0.\($0):80: \(reason)" }.joined(separator: ", ")
    }

    @Test func `a single address has all the time`() {
        var race = Self.race(1)
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.start) == .wait(until: Self.at(5000)))
        #expect(race.step(at: Self.at(4999)) == .wait(until: Self.at(5000)))
        #expect(race.step(at: Self.at(5000)) == .over(.init(reason: "connecting timed out", silent: .all)))
        #expect(race.takeFailures() == [0])
    }

    @Test func `a single address that refuses ends the race`() {
        var race = Self.race(1)
        #expect(race.step(at: Self.start) == .connect(0))
        race.failed(0, because: "refused", at: Self.at(1))
        #expect(race.step(at: Self.at(1)) == .over(.init(reason: "refused", silent: .none)))
    }

    @Test func `the owner's deadline ends the race`() {
        var race = Self.race(1, until: Self.at(100))
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.at(99)) == .wait(until: Self.at(100)))
        #expect(race.step(at: Self.at(100)) == .over(.init(reason: "connecting timed out", silent: .all)))
    }

    /// The next address is tried beside the first, which goes on (RFC 8305 section 5).
    @Test func `the next address is tried beside one that does not answer`() {
        var race = Self.race(3)
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.start) == .wait(until: Self.at(250)))
        #expect(race.step(at: Self.at(249)) == .wait(until: Self.at(250)))
        #expect(race.step(at: Self.at(250)) == .connect(1))
        #expect(race.step(at: Self.at(250)) == .wait(until: Self.at(500)))
        // The first one wins late: none has failed.
        #expect(race.connected(0) == [1])
        #expect(race.takeFailures() == [])
        #expect(race.step(at: Self.at(600)) == .wait(until: Self.at(5000)))
    }

    @Test func `an overtaken address is remembered as failed`() {
        var race = Self.race(3)
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.at(250)) == .connect(1))
        #expect(race.step(at: Self.at(500)) == .connect(2))
        #expect(race.connected(1) == [0, 2])
        #expect(race.takeFailures() == [0])
        #expect(race.takeFailures() == [])
    }

    @Test func `after a refusal the next address is tried at once`() {
        var race = Self.race(3)
        #expect(race.step(at: Self.start) == .connect(0))
        race.failed(0, because: "refused", at: Self.at(1))
        #expect(race.takeFailures() == [0])
        #expect(race.step(at: Self.at(1)) == .connect(1))
        #expect(race.step(at: Self.at(1)) == .wait(until: Self.at(251)))
        #expect(race.step(at: Self.at(251)) == .connect(2))
        // One is still being tried.
        race.failed(2, because: "refused", at: Self.at(252))
        #expect(race.step(at: Self.at(252)) == .wait(until: Self.at(5000)))
        race.failed(1, because: "refused", at: Self.at(253))
        #expect(race.step(at: Self.at(253)) == .over(.init(reason: Self.refused([1, 3, 2]), silent: .none)))
    }

    @Test func `an address that has not answered at the end has timed out`() {
        var race = Self.race(2)
        #expect(race.step(at: Self.start) == .connect(0))
        race.failed(0, because: "refused", at: Self.start)
        #expect(race.step(at: Self.start) == .connect(1))
        let reason = "\(Self.refused([1])), \(Self.refused([2], "timed out"))"
        #expect(race.step(at: Self.at(5000)) == .over(.init(reason: reason, silent: .some)))
        #expect(race.takeFailures() == [0, 1])
    }

    /// The system's timeout may come before ours.
    @Test func `a timeout of the system's counts as one`() {
        var race = Self.race(1)
        #expect(race.step(at: Self.start) == .connect(0))
        race.failed(0, because: "Connection timed out", isTimeout: true, at: Self.at(3000))
        #expect(race.step(at: Self.at(3000)) == .over(.init(reason: "Connection timed out", silent: .all)))
    }

    /// A winner may fail in its TLS handshake; those that it overtook are tried again, after the others.
    @Test func `after a winner that fails the others are tried again`() {
        var race = Self.race(4)
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.at(250)) == .connect(1))
        #expect(race.step(at: Self.at(500)) == .connect(2))
        #expect(race.connected(1) == [0, 2])
        race.failed(1, because: "TLS", at: Self.at(600))
        #expect(race.takeFailures() == [0, 1])
        #expect(race.step(at: Self.at(600)) == .connect(2))
        race.failed(2, because: "refused", at: Self.at(601))
        #expect(race.step(at: Self.at(601)) == .connect(3))
        race.failed(3, because: "refused", at: Self.at(602))
        #expect(race.step(at: Self.at(602)) == .connect(0))
        #expect(race.connected(0) == [])
        let last =
            "\(Self.refused([2], "TLS")), \(Self.refused([3, 4])), \(Self.refused([1], "the TLS handshake timed out"))"
        #expect(race.step(at: Self.at(5000)) == .over(.init(reason: last, silent: .some, isInHandshake: true)))
    }

    @Test func `each address gets its turn in the given time`() {
        for (count, limit, delay) in [(2, 200, 100), (4, 5000, 250), (100, 5000, 50), (100, 500, 10)] {
            var race = Self.race(count, within: .milliseconds(limit))
            #expect(race.step(at: Self.start) == .connect(0))
            #expect(race.step(at: Self.start) == .wait(until: Self.at(delay)), "\(count) in \(limit) ms")
        }
    }

    /// Each attempt takes a descriptor.
    @Test func `only some addresses are tried at a time`() {
        var race = Self.race(6)
        for index in 0..<4 { #expect(race.step(at: Self.at(250 * index)) == .connect(index)) }
        #expect(race.step(at: Self.at(1000)) == .stop(0))
        #expect(race.step(at: Self.at(1000)) == .connect(4))
        race.failed(2, because: "refused", at: Self.at(1001))
        #expect(race.step(at: Self.at(1001)) == .connect(5))
        #expect(race.step(at: Self.at(1001)) == .wait(until: Self.at(5000)))
        #expect(race.takeFailures() == [0, 2])
    }

    @Test func `without a descriptor for one address the others are waited for`() {
        var race = Self.race(2)
        #expect(race.step(at: Self.start) == .connect(0))
        #expect(race.step(at: Self.at(250)) == .connect(1))
        #expect(race.postponed(1, at: Self.at(250)) == true)
        #expect(race.step(at: Self.at(250)) == .wait(until: Self.at(500)))
        #expect(race.step(at: Self.at(500)) == .connect(1))
        race.failed(0, because: "refused", at: Self.at(501))
        #expect(race.postponed(1, at: Self.at(501)) == false)
    }
}
