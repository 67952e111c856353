import Testing

@testable import Balancing

/// Scripts of events at an endpoint, each with the state after it and the reason of the change, if there is one.
@Suite struct EndpointHealthTests {
    enum Event {
        case pass
        case fail(String)
        /// So many sessions failed in a row, at this time in seconds.
        case failed(Int, at: Int)
        case succeeded
        case heartbeats(Int, of: Int)
        case time(Int)
        case drain
        case undrain
        case reserve
        case takeDown
        case rules(EndpointHealth.Rules)
    }

    struct Step {
        let event: Event
        let state: EndpointHealth.State
        let reason: String?

        init(_ event: Event, _ state: EndpointHealth.State, _ reason: String? = nil) {
            self.event = event
            self.state = state
            self.reason = reason
        }
    }

    private static let checks = EndpointHealth.Rules(checks: .init(rise: 2, fall: 3))
    private static let ejection = EndpointHealth.Rules(ejection: .init(failures: 5, duration: .seconds(10)))
    private static let both = EndpointHealth.Rules(checks: checks.checks, ejection: ejection.ejection)

    static func apply(_ event: Event, to health: inout EndpointHealth) -> EndpointHealth.Change? {
        switch event {
        case .pass: health.checkPassed()
        case .fail(let reason): health.checkFailed(reason)
        case .failed(let count, let time): health.failed(inARow: count, because: "x", at: .seconds(time))
        case .succeeded: health.succeeded()
        case .heartbeats(let late, let sessions): health.heartbeats(late: late, of: sessions)
        case .time(let time): health.timePassed(to: .seconds(time))
        case .drain: health.follow(.drain)
        case .undrain: health.follow(.up)
        case .reserve: health.follow(.reserve)
        case .takeDown: health.follow(.down)
        case .rules(let rules): health.apply(rules)
        }
    }

    private func expect(_ rules: EndpointHealth.Rules, _ steps: [Step]) {
        var health = EndpointHealth(rules)
        #expect(health.state == .up)
        #expect(health.reason == nil)
        for (index, step) in steps.enumerated() {
            let before = health.state
            let change = Self.apply(step.event, to: &health)
            let expected = step.reason.map { EndpointHealth.Change(from: before, to: step.state, reason: $0) }
            #expect(change == expected, "step \(index): \(step.event)")
            #expect(health.state == step.state, "step \(index): \(step.event)")
            if let reason = step.reason { #expect(health.reason == reason) }
        }
    }

    @Test func `an operator's orders come before its health`() {
        let back = "an operator took the order back"
        let reserved = "an operator drains it: only clients with a cookie that names it come"
        self.expect(
            Self.checks,
            [
                Step(.reserve, .reserved, reserved), Step(.reserve, .reserved), Step(.fail("a"), .reserved),
                // A client that asks for it must not be sent to what does not work.
                Step(.fail("a"), .reserved), Step(.fail("a"), .down, "check: a"), Step(.pass, .down),
                Step(.pass, .reserved, reserved), Step(.undrain, .up, back),
                Step(.takeDown, .down, "an operator took it down"), Step(.pass, .down), Step(.pass, .down),
                Step(.undrain, .up, back), Step(.takeDown, .down, "an operator took it down"),
                Step(.reserve, .reserved, reserved), Step(.drain, .draining, "drained"),
                Step(.takeDown, .down, "an operator took it down"), Step(.undrain, .up, back),
            ])
    }

    // MARK: - Checks

    @Test func `fall checks in a row take it down and rise checks bring it back`() {
        self.expect(
            Self.checks,
            [
                Step(.fail("a"), .up), Step(.fail("b"), .up), Step(.pass, .up), Step(.fail("c"), .up),
                Step(.fail("d"), .up), Step(.fail("answered 500"), .down, "check: answered 500"),
                Step(.fail("e"), .down), Step(.pass, .down), Step(.fail("f"), .down), Step(.pass, .down),
                Step(.pass, .up, "2 checks passed"), Step(.pass, .up), Step(.fail("g"), .up), Step(.fail("h"), .up),
                Step(.fail("i"), .down, "check: i"),
            ])
    }

    @Test func `one check can be enough`() {
        self.expect(
            EndpointHealth.Rules(checks: .init(rise: 1, fall: 1)),
            [
                Step(.pass, .up), Step(.fail("a"), .down, "check: a"), Step(.pass, .up, "1 check passed"),
            ])
    }

    @Test func `checks without a rule change nothing`() {
        self.expect(Self.ejection, [Step(.fail("a"), .up), Step(.fail("b"), .up), Step(.fail("c"), .up)])
    }

    // MARK: - Ejection

    @Test func `failures in a row eject for a time that doubles up to a bound`() {
        let reason = "ejected: 5 failures in a row, the last: x"
        let over = "the ejection is over"
        self.expect(
            Self.ejection,
            [
                Step(.failed(4, at: 0), .up), Step(.failed(5, at: 1), .down, reason), Step(.failed(6, at: 2), .down),
                Step(.time(10), .down), Step(.time(11), .up, over),
                // One more failure ejects it, and the time doubles: 20, 40, 80, then 100 seconds.
                Step(.failed(7, at: 12), .down, "ejected: 7 failures in a row, the last: x"), Step(.time(31), .down),
                Step(.time(32), .up, over),
                Step(.failed(8, at: 40), .down, "ejected: 8 failures in a row, the last: x"), Step(.time(79), .down),
                Step(.time(80), .up, over),
                Step(.failed(9, at: 100), .down, "ejected: 9 failures in a row, the last: x"), Step(.time(179), .down),
                Step(.time(180), .up, over),
                Step(.failed(10, at: 200), .down, "ejected: 10 failures in a row, the last: x"),
                Step(.time(299), .down),
                Step(.time(300), .up, over),
                Step(.failed(11, at: 300), .down, "ejected: 11 failures in a row, the last: x"),
                Step(.time(399), .down),
                Step(.time(400), .up, over),
                // A success starts again at the shortest time.
                Step(.succeeded, .up), Step(.failed(1, at: 401), .up), Step(.failed(5, at: 402), .down, reason),
                Step(.time(411), .down), Step(.time(412), .up, over),
            ])
    }

    @Test func `a late success ends neither ejection nor doubling`() {
        self.expect(
            Self.ejection,
            [
                Step(.failed(5, at: 0), .down, "ejected: 5 failures in a row, the last: x"), Step(.succeeded, .down),
                Step(.time(10), .up, "the ejection is over"),
                Step(.failed(6, at: 10), .down, "ejected: 6 failures in a row, the last: x"), Step(.time(29), .down),
                Step(.time(30), .up, "the ejection is over"),
            ])
    }

    @Test func `a passed check ends no ejection`() {
        self.expect(
            Self.both,
            [
                Step(.failed(5, at: 0), .down, "ejected: 5 failures in a row, the last: x"), Step(.pass, .down),
                Step(.pass, .down),
                Step(.pass, .down), Step(.time(10), .up, "the ejection is over"),
            ])
    }

    @Test func `what is down for two reasons is up when both are gone`() {
        self.expect(
            Self.both,
            [
                Step(.fail("a"), .up), Step(.fail("a"), .up), Step(.fail("a"), .down, "check: a"),
                Step(.failed(5, at: 0), .down), Step(.pass, .down), Step(.pass, .down),
                Step(.time(10), .up, "the ejection is over"),
                Step(.failed(5, at: 10), .down, "ejected: 5 failures in a row, the last: x"), Step(.fail("b"), .down),
                Step(.fail("b"), .down), Step(.fail("b"), .down), Step(.time(30), .down), Step(.pass, .down),
                Step(.pass, .up, "2 checks passed"),
            ])
    }

    @Test func `the deadline is the end of the ejection`() {
        var health = EndpointHealth(Self.ejection)
        #expect(health.deadline == nil)
        health.failed(inARow: 5, because: "x", at: .seconds(3))
        #expect(health.deadline == .seconds(13))
        health.timePassed(to: .seconds(13))
        #expect(health.deadline == nil)
        // `timePassed` was not called at the deadline: a failure after it counts.
        health.failed(inARow: 6, because: "x", at: .seconds(20))
        #expect(health.deadline == .seconds(40))
        health.failed(inARow: 7, because: "x", at: .seconds(40))
        #expect(health.deadline == .seconds(80))
    }

    @Test func `without a rule no endpoint is ejected`() {
        self.expect(Self.checks, [Step(.failed(1_000_000, at: 0), .up)])
    }

    // MARK: - Heartbeats

    @Test(
        arguments: [
            (0, 0, false), (2, 2, false), (3, 3, true), (3, 6, true), (3, 7, false), (49, 100, false), (50, 100, true),
            // The counters of several threads are read one after the other, so more may be late than there are.
            (4, 3, true),
        ])
    func `late pongs on half of the sessions and at least three take it down`(late: Int, sessions: Int, isDown: Bool) {
        var health = EndpointHealth(EndpointHealth.Rules())
        let change = health.heartbeats(late: late, of: sessions)
        #expect(health.state == (isDown ? .down : .up))
        let reason = "heartbeats: \(late) of \(sessions) sessions wait for a pong"
        #expect(change == (isDown ? EndpointHealth.Change(from: .up, to: .down, reason: reason) : nil))
    }

    @Test func `it is down until fewer than a quarter are late`() {
        let reason = "heartbeats: 6 of 10 sessions wait for a pong"
        self.expect(
            EndpointHealth.Rules(),
            [
                Step(.heartbeats(6, of: 10), .down, reason), Step(.heartbeats(4, of: 10), .down),
                Step(.heartbeats(2, of: 8), .down), Step(.heartbeats(1, of: 4), .down),
                Step(.heartbeats(2, of: 9), .up, "heartbeats: 2 of 9 sessions wait for a pong"),
                Step(.heartbeats(6, of: 10), .down, reason),
                // All sessions have ended.
                Step(.heartbeats(0, of: 0), .up, "heartbeats: 0 of 0 sessions wait for a pong"),
            ])
    }

    @Test func `checks can outvote heartbeats once`() {
        self.expect(
            Self.checks,
            [
                // Checks that passed earlier do not count.
                Step(.pass, .up), Step(.pass, .up),
                Step(.heartbeats(3, of: 5), .down, "heartbeats: 3 of 5 sessions wait for a pong"), Step(.pass, .down),
                Step(.pass, .up, "2 checks passed"),
                // The same sessions are still late, as known.
                Step(.heartbeats(3, of: 5), .up), Step(.heartbeats(5, of: 5), .up), Step(.heartbeats(2, of: 5), .up),
                Step(.heartbeats(1, of: 5), .up),
                Step(.heartbeats(3, of: 5), .down, "heartbeats: 3 of 5 sessions wait for a pong"),
            ])
    }

    // MARK: - Operators and configuration

    @Test func `a drain wins and its end shows the state below`() {
        self.expect(
            Self.both,
            [
                Step(.drain, .draining, "drained"), Step(.drain, .draining), Step(.fail("a"), .draining),
                Step(.fail("a"), .draining), Step(.fail("a"), .draining), Step(.undrain, .down, "check: a"),
                Step(.drain, .draining, "drained"), Step(.pass, .draining), Step(.pass, .draining),
                Step(.undrain, .up, "an operator took the order back"), Step(.undrain, .up),
                Step(.failed(5, at: 0), .down, "ejected: 5 failures in a row, the last: x"),
                Step(.drain, .draining, "drained"),
                Step(.time(10), .draining), Step(.undrain, .up, "an operator took the order back"),
            ])
    }

    @Test func `a removed rule takes its verdict with it`() {
        let reason = "the configuration changed"
        self.expect(
            Self.both,
            [
                Step(.fail("a"), .up), Step(.fail("a"), .up), Step(.fail("a"), .down, "check: a"),
                Step(.rules(Self.both), .down), Step(.rules(Self.ejection), .up, reason),
                Step(.failed(5, at: 0), .down, "ejected: 5 failures in a row, the last: x"),
                Step(.rules(Self.checks), .up, reason),
                // The two earlier failures do not count.
                Step(.fail("b"), .up), Step(.fail("b"), .up), Step(.fail("b"), .down, "check: b"),
            ])
    }
}
