import Balancing
import Testing

@Suite struct SlowStartTests {
    @Test(
        arguments: [
            (.zero, .seconds(10), 0.1),
            (.seconds(1), .seconds(10), 0.19),
            (.milliseconds(2_500), .seconds(10), 0.325),
            (.seconds(5), .seconds(10), 0.55),
            (.seconds(10), .seconds(10), 1),
            (.seconds(11), .seconds(10), 1),
            (.seconds(1_000_000), .seconds(10), 1),
            (.zero, .zero, 1),
            (.seconds(5), .zero, 1),
            // It came up a moment after the clock was read.
            (.seconds(-1), .seconds(10), 0.1),
            (.zero, .nanoseconds(1), 0.1),
        ] as [(Duration, Duration, Double)])
    func `the factor grows with the time up`(_ sinceUp: Duration, _ over: Duration, _ expected: Double) {
        #expect(abs(SlowStart.factor(sinceUp: sinceUp, over: over) - expected) < 1e-12)
    }

    @Test func `the factor rises all the time`() {
        let factors = (0...300).map { SlowStart.factor(sinceUp: .milliseconds($0 * 100), over: .seconds(30)) }
        #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 < $1 })
        #expect(factors.last == 1)
    }
}
