import System
import Testing

@testable import Observability

@Suite struct RepeatedLinesTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func told(_ lines: inout RepeatedLines<String>, until end: MonotonicInstant) -> [String] {
        lines.takeEnded(at: end).map { "\($0.key) \($0.count)" }
    }

    private func takes(
        _ lines: inout RepeatedLines<String>, _ key: String, _ general: String, _ now: MonotonicInstant
    ) -> Bool { lines.takes(key, orAs: general, at: now) }

    @Test func `ten lines are written and the rest is counted`() {
        var lines = RepeatedLines<String>()
        let written = (0..<25).map { lines.takes("a", orAs: "-", at: Self.start + .milliseconds($0)) }
        #expect(written == Array(repeating: true, count: 10) + Array(repeating: false, count: 15))
        // Another kind has ten of its own.
        #expect(self.takes(&lines, "b", "-", Self.start + .seconds(5)))
        #expect(lines.next == Self.start + .seconds(10))
        #expect(self.told(&lines, until: Self.start + .milliseconds(9999)) == [])
        #expect(!self.takes(&lines, "a", "-", Self.start + .milliseconds(9999)))
        #expect(self.told(&lines, until: Self.start + .seconds(10)) == ["a 16"])
        #expect(lines.next == Self.start + .seconds(15))
    }

    @Test func `after the window the next ten lines are written`() {
        var lines = RepeatedLines<String>()
        for _ in 0..<11 { _ = lines.takes("a", orAs: "-", at: Self.start) }
        #expect(self.told(&lines, until: Self.start + .seconds(10)) == ["a 1"])
        #expect(lines.next == nil)
        let later = Self.start + .seconds(100)
        let written = (0..<11).map { _ in lines.takes("a", orAs: "-", at: later) }
        #expect(written.count { $0 } == 10)
        #expect(lines.next == later + .seconds(10))
    }

    @Test func `ten lines or fewer have no rest`() {
        var lines = RepeatedLines<String>()
        for _ in 0..<10 { _ = lines.takes("a", orAs: "-", at: Self.start) }
        #expect(self.told(&lines, until: .never) == [])
        #expect(lines.next == nil)
    }

    @Test func `the rest can be reported before its time`() {
        var lines = RepeatedLines<String>()
        for number in 0..<40 { _ = lines.takes(number % 2 == 0 ? "a" : "b", orAs: "-", at: Self.start) }
        #expect(self.told(&lines, until: .never) == ["a 10", "b 10"])
        #expect(lines.next == nil)
    }

    @Test func `the number of kinds is bounded`() {
        var lines = RepeatedLines<String>()
        let most = RepeatedLines<String>.mostKeys
        var written = 0
        for number in 0..<(most + 1000) {
            if lines.takes("\(number)", orAs: number % 2 == 0 ? "even" : "odd", at: Self.start + .microseconds(number))
            {
                written += 1
            }
        }
        #expect(written == most + 20)
        // The earlier kinds are still counted apart.
        #expect(self.takes(&lines, "0", "even", Self.start + .seconds(1)))
        #expect(Set(self.told(&lines, until: .never)) == ["even 490", "odd 490"])
        #expect(self.takes(&lines, "new", "odd", Self.start + .seconds(20)))
    }
}
