import Testing

@testable import Redis

@Suite struct RoomMessageTests {
    @Test func `a message is a line and a payload of any bytes`() throws {
        let message = try #require(RoomMessage(Array("1 7 aB3 1764440000123 t -\n".utf8) + [10, 0, 255]))
        #expect(message.position == RoomPosition(epoch: "aB3", offset: 7))
        #expect(message.time == 1_764_440_000_123 && message.isText && message.excluded == nil)
        #expect(message.payload == [10, 0, 255])
        let other = try #require(RoomMessage(.init("1 - - 5 b s1\n")))
        #expect(other.position == nil && !other.isText && other.excluded == "s1" && other.payload == [])
    }

    @Test(arguments: [
        "", "\n", "hello", "hello\n", "2 1 a 5 t -\n", "1 0 a 5 t -\n", "1 -1 a 5 t -\n", "1 1 - 5 t -\n",
        "1 - a 5 t -\n", "1 1  5 t -\n",
        "1 1 a x t -\n", "1 1 a 5 x -\n", "1 1 a 5 t\n", "1 1 a 5 t - -\n", "1 9223372036854775808 a 5 t -\n",
        "1 1 a_b 5 t -\n",
    ])
    func `what no gateway published is no message`(text: String) { #expect(RoomMessage(.init(text)) == nil) }

    @Test func `a line has at most 1024 bytes`() {
        #expect(RoomMessage(.init("1 1 a 5 t \(String(repeating: "s", count: 2000))\n")) == nil)
    }

    @Test(arguments: [
        RedisValue.null, .integer(1), .list([]), .list([.text("a"), .integer(1), .integer(1)]),
        .list([.text(""), .integer(1), .integer(1), .list([])]),
        .list([.text("a"), .integer(-1), .integer(1), .list([])]),
        .list([.text("a"), .integer(1), .integer(1), .list([.text("x")])]),
        .list([.text("a"), .integer(1), .integer(1), .list([.text("1 1 b 5 t -\n")])]),
        .list([.text("a"), .integer(1), .integer(1), .list([.text("1 2 a 5 t -\n")])]),
        .list([.text("a"), .integer(9), .integer(1), .list([.text("1 2 a 5 t -\n"), .text("1 4 a 5 t -\n")])]),
        .list([
            .text("a"), .integer(.max), .integer(1),
            .list([.text("1 9223372036854775807 a 5 t -\n"), .text("1 4 a 5 t -\n")]),
        ]),
    ])
    func `a recovery of another form is none`(value: RedisValue) { #expect(RoomRecovery(value) == nil) }

    @Test(arguments: [
        RedisValue.null, .list([]), .list([.integer(1), .integer(0), .text("a"), .integer(1)]),
        .list([.integer(1), .integer(1), .text(""), .integer(1)]),
        .list([.integer(1), .integer(1), .text("a"), .integer(-1)]),
        .list([.integer(1), .integer(-1), .text("a"), .integer(1)]),
        .list([.integer(1), .integer(1), .bytes([255]), .integer(1)]),
    ])
    func `an answer to a publication of another form is none`(value: RedisValue) {
        #expect(RoomPublished(value) == nil)
    }

    @Test func `no name of a room collides with another or ends the hash tag`() {
        func channel(_ backend: String, _ room: String) -> String {
            String(decoding: RoomKeys(prefix: "gateway", backend: backend, room: room).channel, as: UTF8.self)
        }
        #expect(channel("rooms", "lobby") == "gateway:{rooms}:lobby")
        #expect(channel("rooms", "a:position") == "gateway:{rooms}:a%3Aposition")
        #expect(channel("a}b", "{x}/ü\0") == "gateway:{a%7Db}:%7Bx%7D%2F%C3%BC%00")
        #expect(channel("rooms", "a%3Ab") != channel("rooms", "a:b"))
    }
}
