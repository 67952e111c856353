import System
import TestSupport
import Testing

@testable import Admission
@testable import DataPlane
@testable import Sessions

extension RoomName {
    static let lobby = RoomName(encoded: "lobby")!
}

extension RoomRequest {
    static let lobby = RoomRequest(.lobby)
}

extension Rooms {
    fileprivate func join(_ member: any RoomMember, _ request: RoomRequest, of backend: BackendRooms) -> Room {
        self.enter(member, self.place(for: member.id, request, of: backend, nil))
    }
}

@Suite struct RoomsTests {
    private let backend = BackendRooms(of: "rooms")

    private func member(_ place: StillWorker, of room: RoomRequest = .lobby) throws -> BroadcastConversation {
        let session = try place.session(Kernel.listen(.loopback(port: 0), sharedByWorkers: false))
        return BroadcastConversation(
            session, try #require(session.client), room: room, of: self.backend, at: nil,
            in: place.worker.services.rooms,
            compression: nil)
    }

    @Test func `a room has the members that joined and did not leave`() throws {
        let place = try StillWorker()
        defer { place.end() }
        let rooms = place.worker.services.rooms
        let members = try (0..<3).map { _ in try self.member(place) }
        #expect(rooms.rooms.isEmpty)
        let room = rooms.join(members[0], .lobby, of: self.backend)
        // Joining twice counts once.
        for member in members { #expect(rooms.join(member, .lobby, of: self.backend) === room) }
        #expect(Set(room.members.map(ObjectIdentifier.init)) == Set(members.map(ObjectIdentifier.init)))
        rooms.leave(members[1], room, of: self.backend)
        rooms.leave(members[1], room, of: self.backend)
        #expect(room.members.count == 2)
        #expect(!room.members.contains { $0 === members[1] })
        rooms.leave(members[0], room, of: self.backend)
        rooms.leave(members[2], room, of: self.backend)
        #expect(rooms.rooms.isEmpty)
        #expect(rooms.join(members[0], .lobby, of: self.backend) !== room)
    }

    @Test func `a room is a backend and a name`() throws {
        let place = try StillWorker()
        defer { place.end() }
        let rooms = place.worker.services.rooms
        let room = rooms.join(try self.member(place), .lobby, of: self.backend)
        #expect(rooms.join(try self.member(place), .lobby, of: BackendRooms(of: "rooms")) !== room)
        let other = RoomRequest(try #require(RoomName(encoded: "Lobby")))
        #expect(rooms.join(try self.member(place), other, of: self.backend) !== room)
        #expect(room.members.count == 1)
        #expect(rooms.rooms.count == 3)
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
                session, client, room: .lobby, of: self.backend, at: nil, in: place.worker.services.rooms,
                compression: nil))
        #expect(place.worker.services.rooms.rooms.values.map(\.members.count) == [1])
        session.close(.byGateway(.drain))
        #expect(place.worker.services.rooms.rooms.isEmpty)
    }

    @Test func `all members get the messages of senders on different workers in the same order`() throws {
        try WorkersUnderTest.run(2) { workers in
            let members = try (0..<6).map { try workers.client("/rooms/busy", on: $0 % 2) }
            let count = 200
            for part in 0..<20 {
                for (index, member) in members.enumerated() {
                    member.send(messages: (0..<10).map { [UInt8(index), UInt8(part * 10 + $0)] })
                }
                for worker in [part % 2, (part + 1) % 2] { workers.turn(worker) }
            }
            var packets: [[[UInt8]]] = Array(repeating: [], count: members.count)
            _ = workers.turns {
                for (index, member) in members.enumerated() { packets[index] += member.receive() }
                return packets.allSatisfy { PacketClient.payloads($0).count == members.count * count }
            }
            let first = PacketClient.payloads(packets[0])
            for packets in packets { #expect(PacketClient.payloads(packets) == first) }
            for index in members.indices {
                let own = first.filter { $0[0] == UInt8(index) }.map { $0[1] }
                #expect(own == (0..<UInt8(count)).map { $0 })
            }
        }
    }
}
