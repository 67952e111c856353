import System
import Testing
import WebSocketProtocol

@testable import DataPlane

/// Clients that send so much at once that it takes many turns, beside others. The tests count turns and sends, never time.
@Suite(.serialized) struct FloodTests {
    /// Numbered messages of 4 bytes.
    private static func numbered(_ count: Int, from first: Int = 0) -> [[UInt8]] {
        (first..<first + count).map { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    @Test func `a flood of echoes takes many turns, and others are served in each`() throws {
        try WorkersUnderTest.run { workers in
            let flooder = try workers.client("/echo")
            let bystander = try workers.client("/echo")
            let count = 7_000
            flooder.send(messages: Self.numbered(count))
            var packets: [[UInt8]] = []
            var bytes = 0
            let turns = workers.turns {
                bystander.send(messages: [[1, 2, 3]])
                workers.turn()
                #expect(PacketClient.payloads(bystander.receive()) == [[1, 2, 3]])
                packets += flooder.receive()
                bytes = packets.reduce(0) { $0 + $1.count }
                return bytes == count * 6
            }
            // It is more than a share, so it takes more than one turn. How many does not depend on the machine.
            #expect(turns >= 2)
            #expect(PacketClient.payloads(packets) == Self.numbered(count))
            // The echoes were gathered.
            #expect(packets.count < 40)
        }
    }

    @Test func `the echoes of one read are one send`() throws {
        try WorkersUnderTest.run { workers in
            let client = try workers.client("/echo")
            client.send(messages: Self.numbered(100))
            workers.turn()
            let packets = client.receive()
            #expect(packets.count == 1)
            #expect(PacketClient.payloads(packets) == Self.numbered(100))
        }
    }

    @Test func `pongs keep their place among echoes`() throws {
        try WorkersUnderTest.run { workers in
            let client = try workers.client("/echo")
            let key = MaskingKey(bits: 0)
            let sent =
                Frame.binary([1], maskingKey: key) + Frame.ping([2], maskingKey: key)
                + Frame.binary([3], maskingKey: key)
            client.send(sent + Frame.close(.normal, maskingKey: key))
            workers.turn()
            let received = Array(client.receive().joined())
            #expect(received == Frame.binary([1]) + Frame.pong([2]) + Frame.binary([3]) + Frame.close(.normal))
        }
    }

    // MARK: - Rooms

    @Test func `what came in one read reaches each member together and in order`() throws {
        try WorkersUnderTest.run { workers in
            let members = try (0..<5).map { _ in try workers.client("/rooms/busy") }
            members[0].send(messages: Self.numbered(500))
            workers.turn()
            for member in members {
                let packets = member.receive()
                #expect(packets.count == 1)
                #expect(PacketClient.payloads(packets) == Self.numbered(500))
            }
        }
    }

    @Test func `a post to many takes many turns, and others are served in each`() throws {
        try WorkersUnderTest.run { workers in
            let members = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            let bystander = try workers.client("/echo")
            let count = 7_000
            members[0].send(messages: Self.numbered(count))
            // More waits after it: the sender is not read during the first delivery.
            members[0].send(messages: Self.numbered(count, from: count))
            var packets = [[[UInt8]]](repeating: [], count: members.count)
            var most = 0
            let turns = workers.turns {
                bystander.send(messages: [[1, 2, 3]])
                workers.turn()
                #expect(PacketClient.payloads(bystander.receive()) == [[1, 2, 3]])
                for (index, member) in members.enumerated() { packets[index] += member.receive() }
                most = max(most, workers.backlog[0])
                return packets.allSatisfy { $0.reduce(0) { $0 + $1.count } == 2 * count * 6 }
            }
            #expect(turns > 10)
            // Undelivered posts are bounded, and delivered ones do not count.
            #expect(most < 64 << 10)
            #expect(workers.backlog == [0])
            for packets in packets { #expect(PacketClient.payloads(packets) == Self.numbered(2 * count)) }
        }
    }

    @Test func `a room does not wait for another`() throws {
        try WorkersUnderTest.run { workers in
            let busy = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            let quiet = try workers.client("/rooms/quiet")
            busy[0].send(messages: Self.numbered(9_000))
            workers.turn()
            let before = busy.reduce(0) { $0 + $1.receive().count }
            // Some members do not have the first message yet, and the delivery takes several turns.
            #expect(before < busy.count)
            quiet.send(messages: [[7]])
            workers.turn()
            #expect(PacketClient.payloads(quiet.receive()) == [[7]])
            #expect(workers.backlog[0] > 0)
        }
    }

    @Test func `a member that leaves during a delivery does not stop it for the others`() throws {
        try WorkersUnderTest.run { workers in
            let members = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            members[0].send(messages: Self.numbered(9_000))
            workers.turn()
            // All leave: the delivery has no member left.
            workers.workers[0].abortAll()
            #expect(workers.workers[0].sessions.isEmpty)
            #expect(workers.workers[0].services.rooms.rooms.isEmpty)
            workers.turn()
            #expect(workers.backlog == [0])
        }
    }

    // MARK: - Across workers

    @Test func `a sender is not read before all workers have delivered`() throws {
        try WorkersUnderTest.run(2) { workers in
            let sender = try workers.client("/rooms/busy", on: 0)
            let far = try workers.client("/rooms/busy", on: 1)
            let count = 7_000
            for part in 0..<2 { sender.send(messages: Self.numbered(count, from: part * count)) }
            // Only the sender's worker turns, so it stops at what may wait on the other.
            for _ in 0..<200 { workers.turn(0) }
            let stopped = sender.receive()
            #expect(PacketClient.payloads(stopped).count < 2 * count)
            #expect(workers.backlog[0] == 0 && (1..<(64 << 10)).contains(workers.backlog[1]))
            var packets = stopped
            var farPackets: [[UInt8]] = []
            _ = workers.turns {
                packets += sender.receive()
                farPackets += far.receive()
                return [packets, farPackets].allSatisfy { $0.reduce(0) { $0 + $1.count } == 2 * count * 6 }
            }
            #expect(PacketClient.payloads(packets) == Self.numbered(2 * count))
            #expect(PacketClient.payloads(farPackets) == Self.numbered(2 * count))
            #expect(workers.backlog == [0, 0])
        }
    }
}

@Suite struct RoomSenderTests {
    @Test func `a sender waits while much is undelivered, and is told once`() {
        let sender = RoomSender(worker: 0, of: 1)
        sender.sent(10 << 10)
        #expect(!sender.mustWait())
        sender.sent(10 << 10)
        #expect(sender.mustWait())
        #expect(!sender.delivered(10 << 10))
        #expect(sender.delivered(10 << 10))
        #expect(!sender.mustWait())
        sender.sent(1)
        // No sender waits.
        #expect(!sender.delivered(1))
    }
}

@Suite struct UnreadTests {
    private func part(_ count: Int, isFinal: Bool = true) -> FrameReader.DataPart {
        FrameReader.DataPart(
            messageOpcode: .binary, range: 0..<count, maskingKey: nil, isFirst: true, isFinal: isFinal,
            isCompressed: true)
    }

    private func advance(
        _ unread: inout Unread, by count: Int, to stop: FrameReader.DataPart?, _ payload: [UInt8] = []
    ) {
        unread.advance(by: count, to: stop, payload.span)
    }

    @Test func `payload that was unmasked is kept unmasked`() {
        var unread = Unread(Array(0..<10), part: nil)
        self.advance(&unread, by: 4, to: self.part(3), [40, 50, 60])
        #expect(unread.bytes == [0, 1, 2, 3, 40, 50, 60, 7, 8, 9])
        #expect(unread.next(atMost: 9).range == 4..<10)
    }

    @Test func `frames are read portion by portion`() {
        var unread = Unread(Array(0..<10), part: nil)
        #expect(unread.next(atMost: 4).range == 0..<4)
        self.advance(&unread, by: 3, to: nil)
        #expect(unread.next(atMost: 4).range == 3..<7 && !unread.isDone)
        self.advance(&unread, by: 7, to: nil)
        #expect(unread.isDone && unread.bytes.count == 10)
    }

    @Test func `a piece of a part is not its end`() {
        var unread = Unread(Array(0..<10), part: self.part(6))
        var next = unread.next(atMost: 4)
        #expect(next.range == 0..<4 && next.part?.range.count == 4 && next.part?.isFinal == false)
        self.advance(&unread, by: 4, to: nil)
        next = unread.next(atMost: 4)
        #expect(next.range == 4..<8 && next.part?.range.count == 2 && next.part?.isFinal == true)
        // In the middle of it, at its end with output left, and after it.
        self.advance(&unread, by: 1, to: self.part(1))
        #expect(unread.next(atMost: 4).part?.range.count == 1)
        self.advance(&unread, by: 1, to: self.part(0))
        #expect(unread.next(atMost: 4).part?.range.count == 0)
        self.advance(&unread, by: 0, to: nil)
        next = unread.next(atMost: 9)
        #expect(next.range == 6..<10 && next.part == nil)
    }

    @Test func `a part without bytes still has to be read`() {
        var unread = Unread([], part: self.part(0))
        #expect(!unread.isDone)
        self.advance(&unread, by: 0, to: nil)
        #expect(unread.isDone)
    }
}
