import System
import TestSupport
import Testing

@testable import Proxy
@testable import Sessions

@Suite struct RoomsTests {
    private func member(of room: RoomKey, _ place: StillWorker) throws -> BroadcastConversation {
        let session = try place.session(Kernel.listen(.loopback(port: 0), sharedByWorkers: false))
        return BroadcastConversation(session, try #require(session.client), room: room, compression: nil)
    }

    private let room = RoomKey(backend: "rooms", path: "/broadcast/a")

    @Test func membersAreThoseWhoJoinedAndDidNotLeave() throws {
        let place = try StillWorker()
        defer { place.end() }
        var rooms = Rooms()
        let members = try (0..<3).map { _ in try self.member(of: self.room, place) }
        #expect(rooms.members(of: self.room).isEmpty)
        for member in members { rooms.join(member, self.room) }
        // Joining twice is joining.
        rooms.join(members[0], self.room)
        #expect(
            Set(rooms.members(of: self.room).map { ObjectIdentifier($0) }) == Set(members.map { ObjectIdentifier($0) }))
        rooms.leave(members[1], self.room)
        rooms.leave(members[1], self.room)
        #expect(rooms.members(of: self.room).count == 2)
        #expect(!rooms.members(of: self.room).contains { $0 === members[1] })
        rooms.leave(members[0], self.room)
        rooms.leave(members[2], self.room)
        #expect(rooms.members(of: self.room).isEmpty)
    }

    @Test func aRoomIsABackendAndAPath() throws {
        let place = try StillWorker()
        defer { place.end() }
        var rooms = Rooms()
        let member = try self.member(of: self.room, place)
        rooms.join(member, self.room)
        #expect(rooms.members(of: RoomKey(backend: "other", path: self.room.path)).isEmpty)
        #expect(rooms.members(of: RoomKey(backend: "rooms", path: "/broadcast/A")).isEmpty)
        rooms.leave(member, RoomKey(backend: "rooms", path: "/elsewhere"))
        #expect(rooms.members(of: self.room).count == 1)
    }

    @Test func aConversationJoinsWhenItBeginsAndLeavesWhenItCloses() throws {
        let place = try StillWorker()
        defer { place.end() }
        let pair = socketPair()
        defer { Kernel.close(pair.far) }
        let session = try place.session(pair.near)
        let client = try #require(session.client)
        session.open(as: BroadcastConversation(session, client, room: self.room, compression: nil))
        #expect(place.worker.rooms.members(of: self.room).count == 1)
        session.close(.byGateway(.drain))
        #expect(place.worker.rooms.members(of: self.room).isEmpty)
    }
}
