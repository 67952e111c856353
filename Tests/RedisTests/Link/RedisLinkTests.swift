import Configuration
import Connections
import Synchronization
import System
import Testing

@testable import Redis

/// A link and a server that is played, over sockets.
@Suite struct RedisLinkTests {
    /// Where the name leads; it counts how often it is looked up.
    private final class Names: Sendable {
        let places = Mutex<[Result<[SocketAddress], ResolveError>]>([])
        let asked = Atomic(0)

        /// The places of the next look-ups; the last one stays.
        func lead(to places: [Result<[SocketAddress], ResolveError>]) { self.places.withLock { $0 = places } }

        @Sendable func lookUp(_ host: String, _ port: UInt16) -> Result<[SocketAddress], ResolveError> {
            self.asked.add(1, ordering: .relaxed)
            return self.places.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        }
    }

    private final class Scene {
        let names = Names()
        let link: LinkUnderTest
        let server: FakeServer

        init(limits: RedisLimits = RedisLimits(), first: [Result<[SocketAddress], ResolveError>] = []) throws {
            let loop = try EventLoop()
            self.server = try FakeServer(on: ConnectionContext(loop, readSize: 16 << 10))
            self.names.lead(to: first + [.success([self.server.address])])
            let names = self.names
            self.link = try LinkUnderTest(
                .reading("redis: \"redis://redis.example\""), limits: limits, lookUp: { names.lookUp($0, $1) }, on: loop
            )
        }

        func end() {
            self.link.end()
            self.server.end()
        }
    }

    @Test func `a link comes up, although every byte comes alone`() throws {
        let scene = try Scene()
        defer { scene.end() }
        #expect(scene.link.turn { scene.link.ups == 1 })
        #expect(scene.link.join(.init("room")))
        #expect(try scene.link.wait { $0.forget(RoomKeys(prefix: "a", backend: "b", room: "c"), then: $1) })
        #expect(scene.server.accepted == 2 && scene.link.downs == [])
        #expect(scene.server.commands.filter { $0.first == "DEL" } == [["DEL", "a:{b}:c:position", "a:{b}:c:history"]])
    }

    @Test func `each attempt looks the name up again`() throws {
        let dead = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        let address = Kernel.localAddress(dead) ?? .unnamed
        Kernel.close(dead)
        let scene = try Scene(first: [
            .failure(ResolveError(host: "redis.example", reason: "no such name")), .success([address]),
        ])
        defer { scene.end() }
        #expect(scene.link.turn { scene.link.ups == 1 })
        #expect(scene.link.downs == ["cannot resolve redis.example: no such name", "Connection refused"])
        #expect(scene.names.asked.load(ordering: .relaxed) == 3)
    }

    private static let history = RoomHistoryBounds(messages: 5, for: .seconds(60))

    @Test(arguments: [
        "$99999999999999999999\r\n", "*2147483647\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        "$-9223372036854775808\r\n", ">1\r\n*0\r\n+a\r\n+b\r\n", "=0\r\n\r\n", "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        "+OK\r\n", "_\r\n",
        "*4\r\n:1\r\n:-1\r\n+a\r\n:1\r\n",
    ])
    func `a hostile answer fails the command, ends the link, and is forgotten with the next one`(answer: String) throws
    {
        let scene = try Scene()
        defer { scene.end() }
        #expect(scene.link.turn { scene.link.ups == 1 })
        scene.server.answer = { $0.first == "EVAL" ? answer : FakeServer.politely($0) }
        let room = RoomKeys(prefix: "a", backend: "b", room: "c")
        #expect {
            try scene.link.publish("x", in: room, Self.history)
        } throws: { error in
            if case RedisFailure.unknown? = error as? RedisFailure { true } else { false }
        }
        #expect(scene.link.turn { scene.link.downs.count == 1 })
        #expect(scene.link.downs.first?.hasPrefix("it sent ") == true, "\(scene.link.downs)")
        scene.server.answer = { $0.first == "EVAL" ? "*4\r\n:1\r\n:0\r\n+\r\n:3\r\n" : FakeServer.politely($0) }
        #expect(scene.link.turn { scene.link.ups == 2 })
        #expect(try scene.link.publish("y", in: room, Self.history).receivers == 3)
    }

    @Test func `a server that ends the connection in the middle is connected to again`() throws {
        let scene = try Scene()
        defer { scene.end() }
        #expect(scene.link.join(.init("room")))
        scene.server.answer = { $0.first == "DEL" ? nil : FakeServer.politely($0) }
        #expect(throws: RedisFailure.self) {
            try scene.link.wait { $0.forget(RoomKeys(prefix: "a", backend: "b", room: "c"), then: $1) }
        }
        #expect(scene.link.turn { scene.link.subscribed.count == 2 })
        #expect(scene.link.downs.count == 1 && scene.link.ups == 2)
    }

    @Test func `what is too long for the limits ends the link`() throws {
        let scene = try Scene(limits: RedisLimits(string: 1000, reply: 4000))
        defer { scene.end() }
        #expect(scene.link.turn { scene.link.ups == 1 })
        scene.server.answer = { $0.first == "EVAL" ? "$1001\r\n" : FakeServer.politely($0) }
        #expect(throws: RedisFailure.unknown("it sent a string of 1001 bytes, more than 1000")) {
            try scene.link.publish("x", in: RoomKeys(prefix: "a", backend: "b", room: "c"), Self.history)
        }
    }

    @Test func `without a link commands fail at once, and nothing is sent`() throws {
        let scene = try Scene(
            first: Array(repeating: .failure(ResolveError(host: "redis.example", reason: "no such name")), count: 1))
        defer { scene.end() }
        #expect(throws: RedisFailure.away) {
            try scene.link.publish("x", in: RoomKeys(prefix: "a", backend: "b", room: "c"))
        }
        #expect(scene.link.turn { scene.link.ups == 1 })
        #expect(!scene.server.commands.contains { $0.first == "EVAL" })
    }
}
