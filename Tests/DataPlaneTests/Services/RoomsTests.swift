import System
import TestSupport
import Testing

@testable import DataPlane
@testable import Sessions

@Suite struct RoomsTests {
    private func member(of room: RoomKey, _ place: StillWorker) throws -> BroadcastConversation {
        let session = try place.session(Kernel.listen(.loopback(port: 0), sharedByWorkers: false))
        return BroadcastConversation(
            session, try #require(session.client), room: room, of: place.worker.services.rooms, compression: nil)
    }

    private let room = RoomKey(backend: "rooms", path: "/broadcast/a")

    @Test func `a room has the members that joined and did not leave`() throws {
        let place = try StillWorker()
        defer { place.end() }
        let rooms = place.worker.services.rooms
        let members = try (0..<3).map { _ in try self.member(of: self.room, place) }
        #expect(rooms.rooms[self.room] == nil)
        for member in members { rooms.join(member, self.room) }
        // Joining twice counts once.
        rooms.join(members[0], self.room)
        #expect(
            Set((rooms.rooms[self.room]?.members ?? []).map(ObjectIdentifier.init))
                == Set(members.map(ObjectIdentifier.init))
        )
        rooms.leave(members[1], self.room)
        rooms.leave(members[1], self.room)
        #expect(rooms.rooms[self.room]?.members.count == 2)
        #expect(rooms.rooms[self.room]?.members.contains { $0 === members[1] } == false)
        rooms.leave(members[0], self.room)
        rooms.leave(members[2], self.room)
        #expect(rooms.rooms[self.room] == nil)
    }

    @Test func `a room is a backend and a path`() throws {
        let place = try StillWorker()
        defer { place.end() }
        let rooms = place.worker.services.rooms
        let member = try self.member(of: self.room, place)
        rooms.join(member, self.room)
        #expect(rooms.rooms[RoomKey(backend: "other", path: self.room.path)] == nil)
        #expect(rooms.rooms[RoomKey(backend: "rooms", path: "/broadcast/A")] == nil)
        rooms.leave(member, RoomKey(backend: "rooms", path: "/elsewhere"))
        #expect(rooms.rooms[self.room]?.members.count == 1)
    }

    @Test func `a conversation joins when it begins and leaves when it closes`() throws {
        let place = try StillWorker()
        defer { place.end() }
        let pair = socketPair()
        defer { Kernel.close(pair.far) }
        let session = try place.session(pair.near)
        let client = try #require(session.client)
        session.open(
            as: BroadcastConversation(
                session, client, room: self.room, of: place.worker.services.rooms, compression: nil))
        #expect(place.worker.services.rooms.rooms[self.room]?.members.count == 1)
        session.close(.byGateway(.drain))
        #expect(place.worker.services.rooms.rooms[self.room] == nil)
    }
}
