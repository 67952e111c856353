import Testing

@testable import Balancing

/// Failed sessions alone do not take the last endpoint out.
@Suite struct BackendHealthTests {
    private typealias Event = EndpointHealthTests.Event
    private typealias Change = EndpointHealth.Change

    private static let rules = EndpointHealth.Rules(
        checks: .init(rise: 1, fall: 1), ejection: .init(failures: 2, duration: .seconds(10)))
    private static let ejected = Change(from: .up, to: .down, reason: "ejected: 2 failures in a row, the last: x")
    private static let last = Change(from: .down, to: .up, reason: "the last endpoint left")

    private func backend(_ count: Int) -> BackendHealth {
        BackendHealth((0..<count).map { _ in EndpointHealth(Self.rules) })
    }

    private func states(_ backend: BackendHealth) -> [EndpointHealth.State] { backend.endpoints.map(\.state) }

    /// Applies an event to an endpoint, and returns the changes.
    private func tell(_ backend: inout BackendHealth, _ index: Int, _ event: Event) -> [Int: Change] {
        backend.update(index) { EndpointHealthTests.apply(event, to: &$0) }
    }

    @Test func `the only endpoint is never ejected`() {
        var backend = self.backend(1)
        #expect(self.tell(&backend, 0, .failed(2, at: 0)) == [:])
        #expect(self.tell(&backend, 0, .heartbeats(9, of: 9)) == [:])
        #expect(self.states(backend) == [.up])
        #expect(backend.timePassed(to: .seconds(10)) == [:])
        #expect(self.tell(&backend, 0, .failed(3, at: 11)) == [:])
        #expect(self.states(backend) == [.up])
    }

    @Test func `a check or a drain takes even the last endpoint out`() {
        var backend = self.backend(1)
        #expect(self.tell(&backend, 0, .failed(2, at: 0)) == [:])
        let failed = Change(from: .up, to: .down, reason: "check: a")
        #expect(self.tell(&backend, 0, .fail("a")) == [0: failed])
        let passed = Change(from: .down, to: .up, reason: "the last endpoint left")
        #expect(self.tell(&backend, 0, .pass) == [0: passed])
        #expect(self.tell(&backend, 0, .drain) == [0: Change(from: .up, to: .draining, reason: "drained")])
    }

    @Test func `the last endpoint stays up until another returns`() {
        var backend = self.backend(3)
        #expect(self.tell(&backend, 0, .failed(2, at: 0)) == [0: Self.ejected])
        #expect(self.tell(&backend, 1, .failed(2, at: 1)) == [1: Self.ejected])
        #expect(self.tell(&backend, 2, .failed(2, at: 5)) == [:])
        #expect(self.states(backend) == [.down, .down, .up])
        #expect(backend.deadline == .seconds(10))
        let over = Change(from: .down, to: .up, reason: "the ejection is over")
        #expect(backend.timePassed(to: .seconds(10)) == [0: over, 2: Self.ejected])
        #expect(self.states(backend) == [.up, .down, .down])
        #expect(backend.timePassed(to: .seconds(15)) == [1: over, 2: over])
        #expect(backend.deadline == nil)
    }

    @Test func `a session that the spared endpoint opens clears it`() {
        var backend = self.backend(2)
        #expect(self.tell(&backend, 0, .heartbeats(5, of: 5)).count == 1)
        #expect(self.tell(&backend, 1, .failed(2, at: 0)) == [:])
        #expect(self.tell(&backend, 1, .succeeded) == [:])
        #expect(backend.deadline == nil)
        let answered = Change(from: .down, to: .up, reason: "heartbeats: 0 of 5 sessions wait for a pong")
        #expect(self.tell(&backend, 0, .heartbeats(0, of: 5)) == [0: answered])
        #expect(self.states(backend) == [.up, .up])
    }

    @Test func `when checks take the rest down the endpoint with the next deadline is spared`() {
        var backend = self.backend(3)
        #expect(self.tell(&backend, 0, .failed(2, at: 3)) == [0: Self.ejected])
        #expect(self.tell(&backend, 1, .failed(2, at: 0)) == [1: Self.ejected])
        let failed = Change(from: .up, to: .down, reason: "check: b")
        #expect(self.tell(&backend, 2, .fail("b")) == [1: Self.last, 2: failed])
        let passed = Change(from: .down, to: .up, reason: "1 check passed")
        #expect(self.tell(&backend, 2, .pass) == [1: Self.ejected, 2: passed])
        #expect(self.tell(&backend, 2, .drain).count == 2)
        #expect(self.states(backend) == [.down, .up, .draining])
        // A spared endpoint stays spared until another is up.
        #expect(self.tell(&backend, 0, .failed(3, at: 4)) == [:])
        let alsoFailed = Change(from: .up, to: .down, reason: "check: c")
        #expect(self.tell(&backend, 1, .fail("c")) == [0: Self.last, 1: alsoFailed])
        #expect(self.tell(&backend, 0, .fail("d")).count == 1)
        #expect(self.states(backend) == [.down, .down, .draining])
    }

    @Test func `a reload keeps what is known`() {
        var backend = self.backend(2)
        #expect(self.tell(&backend, 0, .failed(2, at: 0)) == [0: Self.ejected])
        #expect(self.tell(&backend, 1, .failed(2, at: 0)) == [:])
        var smaller = BackendHealth([backend.endpoints[0]])
        #expect(self.tell(&smaller, 0, .rules(Self.rules)) == [0: Self.last])
        var larger = BackendHealth(backend.endpoints + [EndpointHealth(Self.rules)])
        #expect(self.tell(&larger, 2, .rules(Self.rules)) == [1: Self.ejected])
        #expect(self.states(larger) == [.down, .down, .up])
    }

    /// Random events. While none is up on its own, exactly one is spared. All changes are reported. The deadline is the earliest.
    @Test func `an update of one endpoint gives the same as a look at all`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var backend = self.backend(Int.random(in: 1...4, using: &random))
            var time = 0
            for _ in 0..<60 {
                time += 1
                let before = self.states(backend)
                let changes: [Int: Change]
                if Int.random(in: 0..<8, using: &random) == 0 {
                    changes = backend.timePassed(to: .seconds(time))
                } else {
                    let events: [Event] = [
                        .pass, .fail("a"), .failed(2, at: time), .succeeded, .heartbeats(9, of: 9),
                        .heartbeats(0, of: 9),
                        .drain, .undrain, .reserve, .takeDown, .rules(Self.rules),
                    ]
                    let index = Int.random(in: backend.endpoints.indices, using: &random)
                    changes = self.tell(&backend, index, events.randomElement(using: &random)!)
                }
                let after = self.states(backend)
                #expect(Set(changes.keys) == Set(after.indices.filter { before[$0] != after[$0] }))
                let spared = backend.endpoints.indices.filter { backend.endpoints[$0].isSpared }
                let isAnyUp = backend.endpoints.contains(where: \.isUpByItself)
                let isAnyOut = backend.endpoints.contains(where: \.isOutForSessionsOnly)
                #expect(spared.count == (!isAnyUp && isAnyOut ? 1 : 0))
                #expect(spared.allSatisfy { after[$0] == .up })
                #expect(backend.deadline == backend.endpoints.compactMap(\.deadline).min())
            }
        }
    }
}
