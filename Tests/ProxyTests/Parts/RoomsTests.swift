import Configuration
import EventLoop
import TLS
import Testing

@testable import Proxy

@Suite struct RoomsTests {
    /// Sessions of a worker that nobody runs.
    private final class Place {
        let worker: Worker
        private let listener: Listener
        private let log: Log
        private var sessions: [Session] = []

        init() throws {
            var settings = LogSettings()
            settings.file = "/dev/null"
            self.log = try Log(settings)
            let snapshot = try Snapshot(Runtime(GatewayConfiguration()))
            let blueprint = WorkerBlueprint(
                fleet: try Fleet(workers: 1, descriptorLimit: 100), log: self.log,
                update: WorkerUpdate(snapshot: snapshot, listeners: []))
            self.worker = try Worker(0, blueprint)
            self.listener = try Listener(
                ListenerBlueprint(
                    id: 0, settings: ListenerSettings(address: .tcp(host: "127.0.0.1", port: 0)),
                    configured: .loopback(port: 0), address: .loopback(port: 0), sockets: [], tls: nil), io: TLSIO())
        }

        func member(of room: RoomKey) throws -> BroadcastConversation {
            let descriptor = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            let session = try Session(descriptor, .unnamed, listener: self.listener, worker: self.worker)
            self.sessions.append(session)
            return BroadcastConversation(session, try #require(session.client), room: room, compression: nil)
        }

        func end() {
            for session in self.sessions { session.abort() }
            self.log.close()
        }
    }

    private let room = RoomKey(backend: "rooms", path: "/broadcast/a")

    @Test func membersAreThoseWhoJoinedAndDidNotLeave() throws {
        let place = try Place()
        defer { place.end() }
        var rooms = Rooms()
        let members = try (0..<3).map { _ in try place.member(of: self.room) }
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
        let place = try Place()
        defer { place.end() }
        var rooms = Rooms()
        let member = try place.member(of: self.room)
        rooms.join(member, self.room)
        #expect(rooms.members(of: RoomKey(backend: "other", path: self.room.path)).isEmpty)
        #expect(rooms.members(of: RoomKey(backend: "rooms", path: "/broadcast/A")).isEmpty)
        rooms.leave(member, RoomKey(backend: "rooms", path: "/elsewhere"))
        #expect(rooms.members(of: self.room).count == 1)
    }

    @Test func aConversationJoinsWhenItBeginsAndLeavesWhenItCloses() throws {
        let place = try Place()
        defer { place.end() }
        let member = try place.member(of: self.room)
        member.begin()
        #expect(place.worker.rooms.members(of: self.room).count == 1)
        member.close(.byGateway(.drain))
        #expect(place.worker.rooms.members(of: self.room).isEmpty)
    }
}
