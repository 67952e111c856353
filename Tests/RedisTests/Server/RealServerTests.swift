import Configuration
import Foundation
import System
import TLS
import TestSupport
import Testing

@testable import Redis

/// The link and Debian's `redis-server`.
@Suite(.enabled(if: RealServer.isInstalled, "redis-server is not installed"), .serialized)
struct RealServerTests {
    private static let room = RoomKeys(prefix: "gateway", backend: "rooms", room: "lobby")
    private static let hundred = RoomHistoryBounds(messages: 100, for: .seconds(3600))
    /// As in the documentation of the rooms, with the password in place.
    private static let rules = """
        on >secret resetkeys ~gateway:* resetchannels &gateway:* -@all +select +subscribe +unsubscribe +publish +eval +evalsha +time \
        +del +pexpire +hset +hmget +xadd +xrange
        """

    private static var quick: LinkTimes {
        var times = LinkTimes()
        times.answer = .milliseconds(300)
        times.probe = .milliseconds(300)
        return times
    }

    /// A server and a link to it.
    private static func with(
        _ arguments: [String] = [], cluster: String = "", times: LinkTimes = LinkTimes(),
        _ body: (RealServer, LinkUnderTest) throws -> Void
    ) throws {
        let server = try RealServer(arguments)
        defer { server.end() }
        let link = try LinkUnderTest(.reading("redis: \"unix:\(server.socket)\"\(cluster)"), times: times)
        defer { link.end() }
        try body(server, link)
    }

    private static func expectUp(_ link: LinkUnderTest, _ count: Int = 1) throws {
        try #require(link.turn { link.ups == count }, "\(link.downs)")
    }

    // MARK: - Rooms

    @Test func `messages have offsets from 1, and two gateways get all in the same order`() throws {
        try Self.with { server, link in
            let other = try LinkUnderTest(.reading("redis: \"unix:\(server.socket)\""), on: link.loop)
            defer { other.end() }
            try #require(link.turn { link.ups == 1 && other.ups == 1 })
            try #require(link.join(Self.room.channel) && other.join(Self.room.channel))
            var answers = 0
            for number in 0..<50 {
                for link in [link, other] {
                    link.link.publish(
                        RoomPublication(Array("\(number)".utf8), isText: true, receivers: 0), in: Self.room,
                        Self.hundred
                    ) { _ in answers += 1 }
                }
            }
            #expect(link.turn { answers == 100 && link.messages.count == 100 && other.messages.count == 100 })
            #expect(link.messages.map(\.position?.offset) == (1...100).map { $0 })
            #expect(link.messages == other.messages)
            #expect(Set(link.messages.map(\.position?.epoch)).count == 1)
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            #expect(link.messages.allSatisfy { abs($0.time - now) < 60_000 && $0.isText && $0.excluded == nil })
        }
    }

    @Test func `a room without history has no offsets, and nothing is kept of it`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            let published = try link.publish("hello", in: Self.room, excluded: "s-1", receivers: 7)
            #expect(published == RoomPublished(.list([.integer(1), .integer(0), .text(""), .integer(7)])))
            #expect(published.position == nil && published.isNew)
            #expect(link.turn { link.messages.count == 1 })
            #expect(link.messages.first?.excluded == "s-1" && link.messages.first?.position == nil)
            #expect(try server.order("DBSIZE") == "0")
            // What no session is called excludes none.
            _ = try link.publish("hello", in: Self.room, excluded: "a b\n")
            #expect(link.turn { link.messages.count == 2 })
            #expect(link.messages.last?.excluded == nil)
        }
    }

    @Test(arguments: [true, false]) func `the same key publishes once, and gets the first answer on each gateway`(
        hasHistory: Bool
    ) throws {
        try Self.with { server, link in
            let other = try LinkUnderTest(.reading("redis: \"unix:\(server.socket)\""), on: link.loop)
            defer { other.end() }
            try #require(link.turn { link.ups == 1 && other.ups == 1 })
            try #require(link.join(Self.room.channel))
            let bounds = hasHistory ? Self.hundred : nil
            let first = try link.publish("a", in: Self.room, bounds, key: "k:\0 1", receivers: 3)
            let second = try other.publish("b", in: Self.room, bounds, key: "k:\0 1", receivers: 9)
            #expect(first.isNew && !second.isNew)
            #expect(second.receivers == 3 && second.position == first.position)
            #expect(first.position?.offset == (hasHistory ? 1 : nil))
            #expect(try other.publish("c", in: Self.room, bounds, key: "k2", receivers: 1).isNew)
            let elsewhere = RoomKeys(prefix: "gateway", backend: "rooms", room: "other")
            #expect(try other.publish("d", in: elsewhere, bounds, key: "k2", receivers: 1).isNew)
            #expect(link.turn { link.messages.count == 2 })
            #expect(link.messages.map(\.payload) == [.init("a"), .init("c")])
            let rest = try #require(Int(server.order("PTTL", "gateway:{rooms}:lobby:answer:k2")))
            #expect(rest > 200_000 && rest <= 300_000)
        }
    }

    @Test func `since gets what came after it, or nothing where some of it is gone`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            let three = RoomHistoryBounds(messages: 3, for: .seconds(3600))
            let empty = try link.recover(.position, of: Self.room, three)
            #expect(empty.position.offset == 0 && empty.isWhole && empty.messages == [])
            for number in 1...5 { _ = try link.publish("\(number)", in: Self.room, three) }
            let epoch = empty.position.epoch
            func since(_ offset: Int64, _ epoch: String) throws -> RoomRecovery {
                try link.recover(.since(RoomPosition(epoch: epoch, offset: offset)), of: Self.room, three)
            }
            for (offset, expected) in [(2, ["3", "4", "5"]), (4, ["5"]), (5, [])] {
                let found = try since(Int64(offset), epoch)
                #expect(found.isWhole && found.messages.map { String(decoding: $0.payload, as: UTF8.self) } == expected)
                #expect(found.position == RoomPosition(epoch: epoch, offset: 5))
            }
            for (offset, other) in [(1, epoch), (0, epoch), (6, epoch), (.max, epoch), (3, "another")]
                as [(Int64, String)]
            {
                let found = try since(offset, other)
                #expect(!found.isWhole && found.messages == [] && found.position.offset == 5, "\(offset) \(other)")
            }
            // The history is gone, the position is not.
            try server.order("DEL", "gateway:{rooms}:lobby:history")
            #expect(try !since(4, epoch).isWhole)
            #expect(try since(5, epoch).isWhole)
            #expect(try link.publish("6", in: Self.room, three).position == RoomPosition(epoch: epoch, offset: 6))
            #expect(try since(5, epoch).messages.count == 1)
        }
    }

    @Test func `last gets as many as there are`() throws {
        try Self.with { _, link in
            try Self.expectUp(link)
            let three = RoomHistoryBounds(messages: 3, for: .seconds(3600))
            #expect(try link.recover(.last(5), of: Self.room, three).messages == [])
            for number in 1...5 { _ = try link.publish("\(number)", in: Self.room, three) }
            for (count, expected) in [(0, []), (1, ["5"]), (3, ["3", "4", "5"]), (100, ["3", "4", "5"])] {
                let found = try link.recover(.last(count), of: Self.room, three)
                #expect(found.isWhole && found.messages.map { String(decoding: $0.payload, as: UTF8.self) } == expected)
            }
        }
    }

    @Test func `a long history comes in parts`() throws {
        try Self.with { _, link in
            try Self.expectUp(link)
            let large = String(repeating: "x", count: 1 << 20)
            for _ in 1...10 { _ = try link.publish(large, in: Self.room, Self.hundred) }
            var position = try link.recover(.position, of: Self.room, Self.hundred).position
            let top = position
            position.offset = 0
            var parts = 0
            while position != top {
                let part = try link.recover(.since(position), of: Self.room, Self.hundred)
                try #require(part.isWhole)
                #expect(part.messages.first?.position?.offset == position.offset + 1)
                position = try #require(part.messages.last?.position)
                parts += 1
            }
            #expect(parts == 3)
        }
    }

    @Test func `a room that is forgotten begins anew in another epoch`() throws {
        try Self.with { _, link in
            try Self.expectUp(link)
            let first = try #require(link.publish("a", in: Self.room, Self.hundred).position)
            #expect(try link.wait { $0.forget(Self.room, then: $1) })
            #expect(try !link.wait { $0.forget(Self.room, then: $1) })
            let second = try #require(link.publish("b", in: Self.room, Self.hundred).position)
            #expect(second.offset == 1 && second.epoch != first.epoch)
            #expect(try !link.recover(.since(first), of: Self.room, Self.hundred).isWhole)
        }
    }

    @Test func `messages are kept anew with each one, and the position for a week at least`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            func rest(_ key: String) throws -> Int {
                try #require(Int(server.order("PTTL", "gateway:{rooms}:lobby:\(key)")))
            }
            _ = try link.publish("a", in: Self.room, RoomHistoryBounds(messages: 5, for: .seconds(100)))
            #expect(try (50_000...100_000).contains(rest("history")))
            #expect(try (604_000_000...604_800_000).contains(rest("position")))
            _ = try link.publish("b", in: Self.room, RoomHistoryBounds(messages: 5, for: .seconds(700_000)))
            #expect(try (650_000_000...700_000_000).contains(rest("history")))
            #expect(try (650_000_000...700_000_000).contains(rest("position")))
            try server.order("PEXPIRE", "gateway:{rooms}:lobby:position", "1000000")
            _ = try link.recover(.position, of: Self.room, Self.hundred)
            #expect(try rest("position") > 604_000_000)
        }
    }

    @Test func `a key of another type is refused, and takes no offset`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            _ = try link.publish("a", in: Self.room, Self.hundred)
            try server.order("RENAME", "gateway:{rooms}:lobby:history", "kept")
            try server.order("SET", "gateway:{rooms}:lobby:history", "x")
            #expect {
                try link.publish("b", in: Self.room, Self.hundred)
            } throws: { error in
                if case RedisFailure.refused(let reason)? = error as? RedisFailure {
                    reason.hasPrefix("WRONGTYPE")
                } else {
                    false
                }
            }
            try server.order("RENAME", "kept", "gateway:{rooms}:lobby:history")
            #expect(try link.publish("c", in: Self.room, Self.hundred).position?.offset == 2)
            #expect(link.ups == 1 && link.downs == [])
        }
    }

    // MARK: - Letting in

    @Test(arguments: [false, true]) func `a user with the least rights does all of it`(isOld: Bool) throws {
        // A server that knows no HELLO speaks RESP2.
        try Self.with(isOld ? ["--rename-command", "HELLO", ""] : [], cluster: ", user: gateway, password: secret") {
            server, link in
            try #require(link.turn { !link.downs.isEmpty })
            #expect(link.downs[0] == "it refuses user `gateway` or its password (WRONGPASS)")
            let rules = Self.rules.split(separator: " ").map { String($0) }
            #expect(try server.order(all: ["ACL", "SETUSER", "gateway"] + rules) == "OK")
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            _ = try link.publish("a", in: Self.room, Self.hundred, key: "k")
            _ = try link.publish("b", in: Self.room)
            #expect(try link.recover(.last(10), of: Self.room, Self.hundred).messages.count == 1)
            #expect(try link.recover(.position, of: Self.room, Self.hundred).position.offset == 1)
            #expect(try link.wait { $0.forget(Self.room, then: $1) })
            #expect(link.turn { link.messages.count == 2 })
            link.link.leave(Self.room.channel)
            let other = RoomKeys(prefix: "gateway", backend: "rooms", room: "other")
            #expect(link.join(other.channel))
            #expect(link.ups == 1)
            // Others' keys and channels are not for it.
            let foreign = RoomKeys(prefix: "other", backend: "rooms", room: "lobby")
            #expect {
                try link.publish("c", in: foreign)
            } throws: { error in
                if case RedisFailure.refused(let reason)? = error as? RedisFailure {
                    reason.contains("NOPERM")
                } else {
                    false
                }
            }
            link.link.subscribe(to: foreign.channel)
            #expect(link.turn { link.downs.last?.hasPrefix("it refuses a subscription: NOPERM") == true })
        }
    }

    @Test func `a wrong password is told, and the link comes up when it is right`() throws {
        try Self.with(cluster: ", user: gateway, password: secret") { server, link in
            try server.order("ACL", "SETUSER", "gateway", "on", ">other", "~*", "&*", "+@all")
            try #require(link.turn { link.downs.count > 1 })
            #expect(link.downs.last == "it refuses user `gateway` or its password (WRONGPASS)")
            try server.order("ACL", "SETUSER", "gateway", ">secret")
            try Self.expectUp(link)
        }
    }

    @Test func `a server that demands a password says so`() throws {
        try Self.with(["--requirepass", "right"]) { _, link in
            #expect(link.turn { !link.downs.isEmpty })
            #expect(link.downs.first == "it demands a password (NOAUTH)")
        }
    }

    @Test func `the database of the URL has the keys`() throws {
        let port = try Self.freePort()
        let server = try RealServer(["--port", "\(port)", "--bind", "127.0.0.1"])
        defer { server.end() }
        let link = try LinkUnderTest(.reading("redis: \"redis://127.0.0.1:\(port)/3\""))
        defer { link.end() }
        try Self.expectUp(link)
        _ = try link.publish("a", in: Self.room, Self.hundred)
        #expect(try server.order("-n", "3", "DBSIZE") == "2")
        #expect(try server.order("-n", "0", "DBSIZE") == "0")
        let none = try LinkUnderTest(.reading("redis: \"redis://127.0.0.1:\(port)/99\""), on: link.loop)
        defer { none.end() }
        #expect(none.turn { !none.downs.isEmpty })
        #expect(none.downs.first == "it refuses database 99: ERR DB index is out of range")
    }

    /// redis-server takes no port 0, so it gets one that was free a moment ago.
    private static func freePort() throws -> UInt16 {
        let descriptor = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        defer { Kernel.close(descriptor) }
        return try #require(Kernel.localAddress(descriptor)?.port)
    }

    /// One for localhost, which is its own authority.
    private func makeCertificate(_ file: String, _ key: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
            "-out", file,
            "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }

    @Test func `over TLS the server's name is verified`() throws {
        let (file, key) = (temporaryPath(".pem"), temporaryPath(".key"))
        defer {
            removeFile(file)
            removeFile(key)
        }
        try self.makeCertificate(file, key)
        let port = try Self.freePort()
        let server = try RealServer([
            "--tls-port", "\(port)", "--bind", "127.0.0.1", "--tls-cert-file", file, "--tls-key-file", key,
            "--tls-auth-clients", "no",
        ])
        defer { server.end() }
        let authorities = try TrustedAuthorities(pem: FileContents.read(file), name: file)
        let trusting = TLSClientSettings(authorities: authorities)
        let link = try LinkUnderTest(
            .reading("redis: \"rediss://127.0.0.1:\(port)\", tls: {server-name: localhost}"), tls: trusting)
        defer { link.end() }
        try Self.expectUp(link)
        try #require(link.join(Self.room.channel))
        let large = String(repeating: "x", count: 300_000)
        _ = try link.publish(large, in: Self.room, Self.hundred)
        #expect(link.turn { link.messages.count == 1 })
        #expect(link.messages.first?.payload == Array(large.utf8))
        let wrong = try LinkUnderTest(
            .reading("redis: \"rediss://127.0.0.1:\(port)\", tls: {server-name: other.example}"), tls: trusting,
            on: link.loop)
        defer { wrong.end() }
        #expect(wrong.turn { !wrong.downs.isEmpty })
        #expect(wrong.downs.first?.hasPrefix("TLS: ") == true, "\(wrong.downs)")
        // TLS where there is none.
        let plain = try LinkUnderTest(.reading("redis: \"redis://127.0.0.1:\(port)\""), on: link.loop)
        defer { plain.end() }
        #expect(plain.turn { !plain.downs.isEmpty })
    }

    // MARK: - Trouble

    @Test func `a server that stands still ends the link, and has it again when it goes on`() throws {
        try Self.with(times: Self.quick) { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            server.send(SIGSTOP)
            #expect(throws: RedisFailure.unknown("no answer within 300ms")) { try link.publish("a", in: Self.room) }
            #expect(throws: RedisFailure.away) { try link.publish("b", in: Self.room) }
            server.send(SIGCONT)
            try Self.expectUp(link, 2)
            #expect(link.turn { link.subscribed.count == 2 })
            _ = try link.publish("c", in: Self.room)
            #expect(link.turn { link.messages.last?.payload == .init("c") })
        }
    }

    @Test func `a quiet link notices a server that stands still by its probe`() throws {
        try Self.with(times: Self.quick) { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            server.send(SIGSTOP)
            #expect(link.turn { !link.downs.isEmpty })
            #expect(link.downs.first == "no answer within 300ms")
            server.send(SIGCONT)
            try Self.expectUp(link, 2)
        }
    }

    @Test func `a quiet link stays as long as its probes arrive`() throws {
        var times = Self.quick
        times.answer = .seconds(20)
        times.probe = .milliseconds(20)
        try Self.with(times: times) { server, link in
            try Self.expectUp(link)
            #expect(
                link.turn {
                    (try? server.order("INFO", "commandstats"))?.contains("cmdstat_publish:calls=2") == true
                        || !link.downs.isEmpty
                })
            #expect(link.downs == [])
        }
    }

    @Test func `a server that was killed gets all subscriptions again when it is back`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            let rooms = (0..<1500).map { RoomKeys(prefix: "gateway", backend: "rooms", room: "\($0)") }
            for room in rooms { link.link.subscribe(to: room.channel) }
            #expect(link.turn { link.subscribed.count == 1500 })
            server.stop()
            #expect(link.turn { !link.downs.isEmpty })
            try server.start()
            try Self.expectUp(link, 2)
            #expect(link.turn { link.subscribed.count == 3000 })
            #expect(try server.order("PUBSUB", "CHANNELS").split(separator: "\n").count == 1501)
            for room in rooms.suffix(3) { _ = try link.publish("x", in: room) }
            #expect(link.turn { link.received.count == 3 })
            #expect(link.received.map(\.channel) == rooms.suffix(3).map(\.channel))
        }
    }

    @Test func `a server that has forgotten the scripts gets them again, and the order stays`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            for round in 0..<3 {
                try server.order("SCRIPT", "FLUSH", "SYNC")
                var answers = 0
                for number in 0..<20 {
                    let publication = RoomPublication(Array("\(round * 20 + number)".utf8), isText: true, receivers: 0)
                    link.link.publish(publication, in: Self.room, Self.hundred) { result in
                        if case .success = result { answers += 1 }
                    }
                }
                #expect(link.turn { answers == 20 })
            }
            #expect(link.turn { link.messages.count == 60 })
            #expect(link.messages.map { String(decoding: $0.payload, as: UTF8.self) } == (0..<60).map { "\($0)" })
            #expect(link.downs == [])
        }
    }

    @Test func `a replica is left, and come back to when it is none any more`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            try server.order("REPLICAOF", "127.0.0.1", "1")
            #expect {
                try link.publish("a", in: Self.room, Self.hundred)
            } throws: { error in
                if case RedisFailure.refused(let reason)? = error as? RedisFailure {
                    reason.hasPrefix("READONLY")
                } else {
                    false
                }
            }
            #expect(link.turn { link.downs.contains("it is a replica, which cannot be written to") })
            try server.order("REPLICAOF", "NO", "ONE")
            try Self.expectUp(link, 2)
            #expect(try link.publish("b", in: Self.room, Self.hundred).position?.offset == 1)
        }
    }

    @Test func `without memory nothing is published, and no offset is taken`() throws {
        try Self.with(["--maxmemory-policy", "noeviction"]) { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            let first = try #require(link.publish("a", in: Self.room, Self.hundred).position)
            try server.order("CONFIG", "SET", "maxmemory", "1")
            let other = RoomKeys(prefix: "gateway", backend: "rooms", room: "other")
            for (room, key) in [(Self.room, nil), (other, nil), (other, "k")] as [(RoomKeys, String?)] {
                #expect {
                    try link.publish("b", in: room, Self.hundred, key: key)
                } throws: { error in
                    if case RedisFailure.refused(let reason)? = error as? RedisFailure {
                        reason.hasPrefix("OOM")
                    } else {
                        false
                    }
                }
            }
            // Without history and key nothing has to be kept.
            _ = try link.publish("c", in: Self.room)
            #expect(try link.recover(.last(5), of: Self.room, Self.hundred).messages.count == 1)
            try server.order("CONFIG", "SET", "maxmemory", "0")
            #expect(
                try link.publish("d", in: Self.room, Self.hundred, key: "k").position
                    == RoomPosition(epoch: first.epoch, offset: 2))
            #expect(link.turn { link.messages.count == 3 })
            #expect(link.messages.map(\.payload) == [.init("a"), .init("c"), .init("d")])
            #expect(link.downs == [])
        }
    }

    @Test func `channels and payloads may have any bytes`() throws {
        try Self.with { _, link in
            try Self.expectUp(link)
            let channels: [[UInt8]] = [
                [], [0], [13, 10], [255, 254, 0, 32, 42], Array(0...255), [UInt8](repeating: 10, count: 70_000),
            ]
            for channel in channels { #expect(link.join(channel)) }
            let payload: [UInt8] = Array(0...255) + [13, 10]
            for channel in channels {
                let command = RedisCommand([Array("PUBLISH".utf8), channel, payload])
                let heard: RedisValue = try link.wait { $0.ask(.command(command), then: $1) }
                #expect(heard == .integer(1))
            }
            #expect(link.turn { link.received.count == channels.count })
            #expect(link.received.map(\.channel) == channels && link.received.allSatisfy { $0.payload == payload })
        }
    }

    @Test func `another one's message on a room's channel is no message of a gateway`() throws {
        try Self.with { server, link in
            try Self.expectUp(link)
            try #require(link.join(Self.room.channel))
            try server.order("PUBLISH", "gateway:{rooms}:lobby", "hello")
            #expect(link.turn { link.received.count == 1 })
            #expect(link.messages == [])
        }
    }
}
