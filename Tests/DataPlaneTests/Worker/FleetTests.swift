import Synchronization
import System
import Testing
import WebSocketProtocol

@testable import DataPlane

@Suite struct FleetTests {
    private func fleet(_ loads: [Int], limit: Int = 1000) throws -> Fleet {
        let fleet = try Fleet(workers: loads.count, descriptorLimit: limit)
        for (member, load) in zip(fleet.members, loads) { member.sessions.store(load, ordering: .relaxed) }
        return fleet
    }

    @Test(
        arguments: [
            ([5], 0, nil), ([0, 0], 0, nil), ([1, 0], 0, nil), ([2, 0], 0, nil), ([3, 0], 0, 1), ([0, 3], 1, 0),
            ([0, 3], 0, nil),
            ([10, 10, 10], 1, nil), ([100, 60], 0, nil), ([104, 60], 0, 1), ([90, 10, 50], 0, 1),
            ([90, 10, 50], 2, nil),
            ([1000, 3, 2, 3], 0, 2),
        ] as [([Int], Int, Int?)])
    func whoHasOverAQuarterMoreThanTheMeanHandsOverToTheLeastLoaded(loads: [Int], worker: Int, taker: Int?) throws {
        #expect(try self.fleet(loads).shouldTake(insteadOf: worker) == taker)
    }

    @Test func `a session needs room for both legs`() throws {
        #expect(try self.fleet([0, 0], limit: 66).hasRoom)
        #expect(try !self.fleet([0, 0], limit: 65).hasRoom)
        #expect(try self.fleet([4, 5], limit: 84).hasRoom)
        #expect(try !self.fleet([5, 5], limit: 84).hasRoom)
        #expect(try self.fleet([4, 5]).sessions == 9)
    }

    @Test func `connections without a request may have a quarter of the descriptors, shared among all workers`() throws
    {
        let fleet = try self.fleet([0, 0, 0], limit: 240)
        #expect(fleet.newcomerShare == 20)
        for (worker, count) in [20, 19, 25].enumerated() {
            fleet.members[worker].newcomers.store(count, ordering: .relaxed)
        }
        #expect((0..<3).map { fleet.hasNewcomerRoom($0) } == [false, true, false])
        #expect(fleet.newcomerRoom() == 1)
        fleet.members[1].newcomers.add(1, ordering: .relaxed)
        #expect(fleet.newcomerRoom() == nil)
        // Even the smallest limit leaves each worker one place.
        #expect(try self.fleet([0, 0], limit: 6).newcomerShare == 1)
    }

    private func post(_ payload: [UInt8]) -> RoomPost {
        var messages = RoomMessages()
        messages.append(Message(opcode: .binary, payload: payload))
        return RoomPost(
            room: RoomKey(backend: "rooms", path: "/lobby"), messages: messages, sender: RoomSender(worker: 1, of: 2))
    }

    @Test func `a post reaches all workers but its sender`() throws {
        let fleet = try self.fleet([0, 0, 0])
        let loop = try EventLoop()
        var heard: [Int] = []
        for (index, member) in fleet.members.enumerated() {
            try member.mailbox.open(on: loop) { _ in heard.append(index) }
            try member.rooms.open(on: loop) { _ in heard.append(index) }
        }
        fleet.broadcast(self.post([0x61]), from: 1)
        loop.turn(waitingAtMost: .seconds(20))
        #expect(heard.sorted() == [0, 2])
        fleet.tell(.stop)
        loop.turn(waitingAtMost: .seconds(20))
        #expect(heard.sorted() == [0, 0, 1, 2, 2])
    }

    @Test func `a worker that is behind holds senders back`() throws {
        let fleet = try self.fleet([0, 0])
        #expect(!fleet.isBacklogged)
        let large = self.post([UInt8](repeating: 0, count: 1 << 20))
        for _ in 0..<16 { fleet.broadcast(large, from: 0) }
        #expect(fleet.isBacklogged)
    }

    /// Keeping a frame of 3 bytes takes a hundred times as much.
    @Test func `a backlog counts with its overhead`() throws {
        let fleet = try self.fleet([0, 0])
        let small = self.post([0x61])
        #expect(small.messages.bytes == [0x82, 1, 0x61])
        var count = 0
        while !fleet.isBacklogged, count < 100_000 {
            fleet.broadcast(small, from: 0)
            count += 1
        }
        #expect(count < 70_000)
    }
}
