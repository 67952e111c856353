import Configuration
import System
import Testing

@testable import DataPlane

@Suite struct AddressRatesTests {
    private func address(_ number: Int) throws -> IPNetwork {
        try #require(IPAddress("10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")).subscriber
    }

    /// Whether a request may come; if so, it is counted.
    private func takes(_ rates: AddressRates, _ address: IPNetwork, _ milliseconds: Int64, rate: Double = 2) -> Bool {
        let now = MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
        guard rates.wait(address, rate: rate, at: now) == nil else { return false }
        rates.take(address, rate: rate, at: now)
        return true
    }

    @Test func `each address has a bucket`() throws {
        let rates = AddressRates(sets: 4)
        let (one, other) = (try self.address(1), try self.address(2))
        #expect((0..<3).map { _ in self.takes(rates, one, 0) } == [true, true, false])
        #expect((0..<3).map { _ in self.takes(rates, other, 0) } == [true, true, false])
        #expect(rates.wait(one, rate: 2, at: MonotonicInstant(nanoseconds: 0)) == .milliseconds(500))
        #expect((0..<2).map { _ in self.takes(rates, one, 500) } == [true, false])
    }

    @Test func `asking takes nothing`() throws {
        let rates = AddressRates(sets: 1)
        let one = try self.address(1)
        let now = MonotonicInstant(nanoseconds: 0)
        for _ in 0..<10 { #expect(rates.wait(one, rate: 1, at: now) == nil) }
        #expect(self.takes(rates, one, 0, rate: 1))
    }

    @Test func `a flood of addresses does not free the one that sends most`() throws {
        // Eight places for all.
        let rates = AddressRates(sets: 1)
        let busy = try self.address(0)
        #expect(
            (0..<11).map { _ in self.takes(rates, busy, 0, rate: 10) } == [Bool](repeating: true, count: 10) + [false])
        for number in 1...10_000 {
            #expect(self.takes(rates, try self.address(number), 0, rate: 10))
            #expect(!self.takes(rates, busy, 0, rate: 10))
        }
    }

    @Test func `an IPv6 address is its 64`() throws {
        let rates = AddressRates()
        let one = try #require(IPAddress("2001:db8::1")).subscriber
        let same = try #require(IPAddress("2001:db8::ffff:2")).subscriber
        let other = try #require(IPAddress("2001:db8:0:1::1")).subscriber
        #expect(self.takes(rates, one, 0, rate: 1))
        #expect(!self.takes(rates, same, 0, rate: 1))
        #expect(self.takes(rates, other, 0, rate: 1))
    }
}
