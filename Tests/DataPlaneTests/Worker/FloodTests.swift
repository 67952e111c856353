import System
import Testing
import WebSocketProtocol

@testable import DataPlane

/// Clients that send so much at once that it takes many turns, beside those that do not. Turns are counted, and sends; no time is measured.
@Suite(.serialized) struct FloodTests {
    /// Numbered messages of 4 bytes.
    private static func numbered(_ count: Int, from first: Int = 0) -> [[UInt8]] {
        (first..<first + count).map { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    @Test func aFloodOfEchoesTakesManyTurnsInEachOfWhichOthersAreServed() throws {
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
            // More than one, because it is more than a share; and how many does not depend on the machine.
            #expect(turns >= 2)
            #expect(PacketClient.payloads(packets) == Self.numbered(count))
            // They were put together.
            #expect(packets.count < 40)
        }
    }

    @Test func theEchoesOfOneReadAreOneSend() throws {
        try WorkersUnderTest.run { workers in
            let client = try workers.client("/echo")
            client.send(messages: Self.numbered(100))
            workers.turn()
            let packets = client.receive()
            #expect(packets.count == 1)
            #expect(PacketClient.payloads(packets) == Self.numbered(100))
        }
    }

    @Test func pongsStandInTheirPlaceAmongEchoes() throws {
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

    @Test func whatCameInOneReadReachesEachMemberTogetherAndInOrder() throws {
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

    @Test func aPostToManyTakesManyTurnsInEachOfWhichOthersAreServed() throws {
        try WorkersUnderTest.run { workers in
            let members = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            let bystander = try workers.client("/echo")
            let count = 7_000
            members[0].send(messages: Self.numbered(count))
            // More waits behind it: its sender is not read while the first is under way.
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
            // What is not delivered is bounded, and nothing is counted that is.
            #expect(most < 64 << 10)
            #expect(workers.backlog == [0])
            for packets in packets { #expect(PacketClient.payloads(packets) == Self.numbered(2 * count)) }
        }
    }

    @Test func aRoomDoesNotWaitForAnother() throws {
        try WorkersUnderTest.run { workers in
            let busy = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            let quiet = try workers.client("/rooms/quiet")
            busy[0].send(messages: Self.numbered(9_000))
            workers.turn()
            let before = busy.reduce(0) { $0 + $1.receive().count }
            // Not everybody in the room has the first of it, and it goes on for a while.
            #expect(before < busy.count)
            quiet.send(messages: [[7]])
            workers.turn()
            #expect(PacketClient.payloads(quiet.receive()) == [[7]])
            #expect(workers.backlog[0] > 0)
        }
    }

    @Test func aMemberThatLeavesOnTheWayKeepsNobodyFromTheRest() throws {
        try WorkersUnderTest.run { workers in
            let members = try (0..<300).map { _ in try workers.client("/rooms/busy") }
            members[0].send(messages: Self.numbered(9_000))
            workers.turn()
            // All of them: what is under way has nobody to go to.
            for session in Array(workers.workers[0].sessions.values) { session.abort() }
            #expect(workers.workers[0].sessions.isEmpty)
            #expect(
                workers.workers[0].services.rooms.rooms[RoomKey(backend: "rooms", path: "/rooms/busy")] == nil)
            workers.turn()
            #expect(workers.backlog == [0])
        }
    }

    // MARK: - Across workers

    @Test func aSenderIsNotReadBeforeAllWorkersHaveDelivered() throws {
        try WorkersUnderTest.run(2) { workers in
            let sender = try workers.client("/rooms/busy", on: 0)
            let far = try workers.client("/rooms/busy", on: 1)
            let count = 7_000
            for part in 0..<2 { sender.send(messages: Self.numbered(count, from: part * count)) }
            // Only the sender's own worker turns: it goes no further than what the other one may have waiting.
            for _ in 0..<200 { workers.turn(0) }
            let stopped = sender.receive()
            #expect(PacketClient.payloads(stopped).count < 2 * count)
            #expect(workers.backlog[0] == 0 && (1..<(64 << 10)).contains(workers.backlog[1]))
            var packets = stopped
            var farPackets: [[UInt8]] = []
            _ = workers.turns {
                packets += sender.receive()
                farPackets += far.receive()
                return farPackets.reduce(0) { $0 + $1.count } == 2 * count * 6
            }
            packets += sender.receive()
            #expect(PacketClient.payloads(packets) == Self.numbered(2 * count))
            #expect(PacketClient.payloads(farPackets) == Self.numbered(2 * count))
            #expect(workers.backlog == [0, 0])
        }
    }
}

@Suite struct RoomSenderTests {
    @Test func itWaitsWhileMuchIsOutstandingAndIsToldOnce() {
        let sender = RoomSender(worker: 0, of: 1)
        sender.sent(10 << 10)
        #expect(!sender.mustWait())
        sender.sent(10 << 10)
        #expect(sender.mustWait())
        #expect(!sender.delivered(10 << 10))
        #expect(sender.delivered(10 << 10))
        #expect(!sender.mustWait())
        sender.sent(1)
        // Nobody waits.
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

    @Test func whatWasUnmaskedOnTheWayIsKeptSo() {
        var unread = Unread(Array(0..<10), part: nil)
        self.advance(&unread, by: 4, to: self.part(3), [40, 50, 60])
        #expect(unread.bytes == [0, 1, 2, 3, 40, 50, 60, 7, 8, 9])
        #expect(unread.next(atMost: 9).range == 4..<10)
    }

    @Test func framesAreLookedAtPortionByPortion() {
        var unread = Unread(Array(0..<10), part: nil)
        #expect(unread.next(atMost: 4).range == 0..<4)
        self.advance(&unread, by: 3, to: nil)
        #expect(unread.next(atMost: 4).range == 3..<7 && !unread.isDone)
        self.advance(&unread, by: 7, to: nil)
        #expect(unread.isDone && unread.bytes.count == 10)
    }

    @Test func aPieceOfAPartIsNotItsEnd() {
        var unread = Unread(Array(0..<10), part: self.part(6))
        var next = unread.next(atMost: 4)
        #expect(next.range == 0..<4 && next.part?.range.count == 4 && next.part?.isFinal == false)
        self.advance(&unread, by: 4, to: nil)
        next = unread.next(atMost: 4)
        #expect(next.range == 4..<8 && next.part?.range.count == 2 && next.part?.isFinal == true)
        // Inside of it, at its end with something still to come out of it, and behind it.
        self.advance(&unread, by: 1, to: self.part(1))
        #expect(unread.next(atMost: 4).part?.range.count == 1)
        self.advance(&unread, by: 1, to: self.part(0))
        #expect(unread.next(atMost: 4).part?.range.count == 0)
        self.advance(&unread, by: 0, to: nil)
        next = unread.next(atMost: 9)
        #expect(next.range == 6..<10 && next.part == nil)
    }

    @Test func aPartWithoutBytesIsSomethingToDo() {
        var unread = Unread([], part: self.part(0))
        #expect(!unread.isDone)
        self.advance(&unread, by: 0, to: nil)
        #expect(unread.isDone)
    }
}
