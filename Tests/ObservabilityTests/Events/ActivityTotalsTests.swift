import Sessions
import Testing
import WebSocketProtocol

@testable import Observability

@Suite struct ActivityTotalsTests {
    private func tally(_ messages: UInt64, _ bytes: UInt64) -> MessageTally {
        var tally = MessageTally()
        tally.text = messages
        tally.payloadBytes = bytes
        return tally
    }

    @Test func `a worker's counts are those of all its routes`() {
        let metrics = WorkerMetrics()
        for route in ["/a", "/b"] {
            metrics.sessionOpened(route: route, backend: "app", handshake: .zero)
            metrics.sessionOpened(route: route, backend: "app", handshake: .zero)
            metrics.sessionEnded(
                route: route, backend: "app", cause: .clientClosed, code: .normal, lasted: .zero,
                tally: PerLeg(client: self.tally(2, 10), backend: self.tally(1, 4)))
            metrics.refused(route: route, status: 403)
        }
        metrics.refused(route: nil, status: 404)
        metrics.abandoned(route: nil)
        var expected = ActivityTotals()
        expected.sessions = 2
        expected.opens = 4
        expected.closes = [.clientClosed: 2]
        expected.refusals = [403: 2, 404: 1]
        expected.messages = 6
        expected.bytes = 28
        #expect(metrics.activity == expected)
    }

    @Test func `a part of the time has what was added in it, and the sessions of its end`() {
        var before = ActivityTotals()
        before.sessions = 5
        before.opens = 10
        before.closes = [.clientClosed: 3, .drain: 2]
        before.refusals = [404: 1]
        before.messages = 100
        before.bytes = 1000
        var after = before
        after.sessions = 4
        after.opens = 11
        after.closes = [.clientClosed: 5, .drain: 2, .admin: 1]
        after.messages = 90
        after.bytes = 1001
        var part = ActivityTotals()
        part.sessions = 4
        part.opens = 1
        part.closes = [.clientClosed: 2, .admin: 1]
        part.bytes = 1
        #expect(after.since(before) == part)
        var both = before
        both.add(after)
        #expect(both.sessions == 9 && both.closes[.drain] == 4 && both.closes[.admin] == 1 && both.messages == 190)
    }
}
