import System
import Testing

@testable import DataPlane

@Suite(.serialized) struct KeptConnectionTests {
    private static let request = Array("GET /answer HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    private func isAnswered(_ client: PacketClient) -> Bool {
        client.receive().first?.starts(with: "HTTP/1.1 200 ".utf8) == true
    }

    @Test func `in a crowd the next request of a client is answered at once, and newcomers wait in line`() throws {
        try WorkersUnderTest.run { workers in
            let kept = workers.newcomer()
            kept.send(Self.request)
            workers.turn()
            workers.turn()
            #expect(self.isAnswered(kept))
            let newcomers = (0..<3).map { _ in workers.newcomer() }
            for _ in 0..<3 { workers.turn() }
            // It leaves room for one request. Of those in line one more is answered in each turn.
            let crowd = Crowd(workers.workers[0].loop, spending: WorkBudget.turn - 10_000)
            try crowd.begin()
            defer { crowd.end() }
            for client in newcomers + [kept] { client.send(Self.request) }
            workers.turn()
            #expect(self.isAnswered(kept))
            #expect(newcomers.map(self.isAnswered) == [true, false, false])
            workers.turn()
            workers.turn()
            #expect(newcomers.map(self.isAnswered) == [false, true, true])
        }
    }
}
