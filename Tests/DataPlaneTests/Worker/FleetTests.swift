import Admission
import Sessions
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

    private func messages(_ payload: [UInt8]) -> RoomMessages {
        var messages = RoomMessages()
        messages.append(Message(opcode: .binary, payload: payload))
        return messages
    }

    /// A room with a member on each of those workers, which posts the messages as a client of `worker`.
    private func post(
        _ messages: RoomMessages, from worker: Int, to members: [Int], in fleet: Fleet, count: Int = 1,
        while condition: () -> Bool = { true }
    ) -> [RoomLedger.Placed] {
        let ledger = RoomLedger(.lobby, of: "rooms", on: RoomShelf(), workers: fleet.members.count)
        for member in members { #expect(ledger.join(.random(), on: member, from: .now, nil).number == 0) }
        let sender = RoomSender(worker: worker, of: fleet.members.count)
        var posts: [RoomLedger.Placed] = []
        while posts.count < count, condition() {
            posts.append(
                ledger.post(
                    messages, from: sender, over: FleetRooms(fleet: fleet, worker: worker), taken: 0, .inMemory(nil)))
        }
        return posts
    }

    @Test func `a post reaches all workers with members, its own in the same way`() throws {
        let fleet = try self.fleet([0, 0, 0, 0])
        let loop = try EventLoop()
        var heard: [Int] = []
        for (index, member) in fleet.members.enumerated() {
            try member.mailbox.open(on: loop) { _ in heard.append(index) }
            try member.rooms.open(on: loop) { _ in heard.append(index) }
        }
        let posts = self.post(self.messages([0x61]), from: 1, to: [0, 1, 3], in: fleet)
        #expect(posts.map(\.isDirect) == [false] && posts.map(\.receivers) == [3])
        for post in posts { post.wake(over: FleetRooms(fleet: fleet, worker: 1)) }
        loop.turn(waitingAtMost: .seconds(20))
        #expect(heard.sorted() == [0, 1, 3])
        #expect(fleet.members.map { $0.backlog.load(ordering: .relaxed) > 0 } == [true, true, false, true])
        fleet.tell(.stop)
        loop.turn(waitingAtMost: .seconds(20))
        #expect(heard.sorted() == [0, 0, 1, 1, 2, 3, 3])
    }

    @Test func `a post for its own worker alone takes no way through a mailbox`() throws {
        let fleet = try self.fleet([0, 0])
        let posts = self.post(self.messages([0x61]), from: 1, to: [1], in: fleet, count: 2)
        #expect(posts.map(\.isDirect) == [true, true] && posts.map(\.post.number) == [1, 2])
    }

    @Test func `what is in the mailbox goes first`() throws {
        let fleet = try self.fleet([0, 0])
        let ledger = RoomLedger(.lobby, of: "rooms", on: RoomShelf(), workers: 2)
        let far = SessionID.random()
        _ = ledger.join(.random(), on: 0, from: .now, nil)
        _ = ledger.join(far, on: 1, from: .now, nil)
        let sender = RoomSender(worker: 0, of: 2)
        let own = FleetRooms(fleet: fleet, worker: 0)
        #expect(!ledger.post(self.messages([1]), from: sender, over: own, taken: 0, .inMemory(nil)).isDirect)
        #expect(!ledger.leave(far, on: 1))
        // The first post was not taken out yet.
        #expect(!ledger.post(self.messages([2]), from: sender, over: own, taken: 0, .inMemory(nil)).isDirect)
        #expect(!ledger.post(self.messages([3]), from: sender, over: own, taken: 1, .inMemory(nil)).isDirect)
        #expect(ledger.post(self.messages([4]), from: sender, over: own, taken: 3, .inMemory(nil)).isDirect)
    }

    @Test func `a worker that is behind holds senders back`() throws {
        let fleet = try self.fleet([0, 0])
        #expect(!fleet.isBacklogged)
        let large = self.messages([UInt8](repeating: 0, count: 1 << 20))
        _ = self.post(large, from: 0, to: [0, 1], in: fleet, count: 16)
        #expect(fleet.isBacklogged)
    }

    /// Keeping a frame of 3 bytes takes a hundred times as much.
    @Test func `a backlog counts with its overhead`() throws {
        let fleet = try self.fleet([0, 0])
        let small = self.messages([0x61])
        #expect(small.bytes == [0x82, 1, 0x61])
        let posts = self.post(small, from: 0, to: [0, 1], in: fleet, count: 100_000) { !fleet.isBacklogged }
        #expect(posts.count < 70_000)
    }
}
