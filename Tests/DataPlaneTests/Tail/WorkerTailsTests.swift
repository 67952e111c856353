import Sessions
import Synchronization
import Testing
import WebSocketProtocol

@testable import DataPlane

@Suite struct WorkerTailsTests {
    private final class Said: Sendable {
        private let news = Mutex<[Tail.News]>([])

        func tail(_ selection: TailSelection) -> Tail {
            Tail(selection, showsPayloads: true, MemoryBound(limit: .max), memoryRose: {}) { _, news in
                self.news.withLock { $0 += news }
            }
        }

        var frames: [TailedFrame] {
            self.news.withLock { $0 }.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
        }
    }

    private static func messages(_ frames: [TailedFrame], _ direction: TailedFrame.Direction) -> [[UInt8]?] {
        frames.filter { $0.direction == direction }.map(\.payload)
    }

    @Test func `an echo is shown both ways, and is as it was when the tail ends`() throws {
        try WorkersUnderTest.run { workers in
            let client = try workers.client("/echo")
            let session = try #require(workers.workers[0].sessions.values.first)
            let said = Said()
            let tail = said.tail(.session(session.id))
            #expect(workers.workers[0].begin(tail))
            #expect(session.conversation is TailedConversation)
            for round in 1...2 {
                client.send(messages: [[1], [2]])
                var payloads: [[UInt8]] = []
                _ = workers.turns {
                    payloads += PacketClient.payloads(client.receive())
                    return payloads == [[1], [2]]
                }
                // The second round comes after its end.
                #expect(Self.messages(said.frames, .toBackend) == [[1], [2]])
                #expect(Self.messages(said.frames, .toClient) == [[1], [2]])
                if round == 1 { workers.workers[0].end(tail) }
            }
            #expect(session.conversation is EchoConversation)
        }
    }

    @Test func `a tail of a route sees the members of its room, those that come later included`() throws {
        try WorkersUnderTest.run { workers in
            let said = Said()
            #expect(workers.workers[0].begin(said.tail(.route("rooms"))))
            let sender = try workers.client("/rooms/a")
            let other = try workers.client("/rooms/a")
            sender.send(messages: [[7]])
            var payloads: [[UInt8]] = []
            _ = workers.turns {
                payloads += PacketClient.payloads(other.receive())
                return payloads == [[7]] && said.frames.count == 3
            }
            #expect(Self.messages(said.frames, .toBackend) == [[7]])
            #expect(Self.messages(said.frames, .toClient) == [[7], [7]])
            #expect(Set(said.frames.map(\.session)).count == 2)
        }
    }

    @Test func `a tail of no session does not begin`() throws {
        try WorkersUnderTest.run { workers in
            #expect(!workers.workers[0].begin(Said().tail(.session(.random()))))
        }
    }
}
