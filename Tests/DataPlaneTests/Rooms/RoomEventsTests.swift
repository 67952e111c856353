import Sessions
import Testing
import WebSocketProtocol

@testable import DataPlane

@Suite struct RoomEventsTests {
    private static func entry(_ text: String, _ opcode: Opcode = .text) -> RoomHistories.Entry {
        .init(message: Message(opcode: opcode, payload: Array(text.utf8)), at: .seconds(1))
    }

    /// The chunks put together.
    private static func text(_ events: RoomEvents) throws -> String {
        var text = ""
        var rest = String(decoding: events.bytes, as: UTF8.self)[...]
        while let end = rest.firstRange(of: "\r\n") {
            let size = try #require(Int(rest[..<end.lowerBound], radix: 16))
            let data = rest[end.upperBound...].utf8.prefix(size)
            text += String(Substring(data))
            rest = rest[data.endIndex...]
            #expect(rest.utf8.starts(with: "\r\n".utf8))
            rest = Substring(rest.utf8.dropFirst(2))
        }
        return text
    }

    private static func recovered(_ entries: [RoomHistories.Entry], last: Int, isWhole: Bool = true) -> RoomEvents {
        RoomEvents(
            .init(isWhole: isWhole, position: .init(epoch: "e", offset: last), missed: entries), for: .random())
    }

    @Test(
        arguments: [
            ("a", "data: a\n\n"), ("", "data: \n\n"), ("a\nb", "data: a\ndata: b\n\n"),
            ("a\r\nb", "data: a\ndata: b\n\n"),
            ("a\rb", "data: a\ndata: b\n\n"), ("a\n\rb", "data: a\ndata: \ndata: b\n\n"), ("\n", "data: \ndata: \n\n"),
            ("grüße", "data: grüße\n\n"),
        ])
    func `each line of a message is a line of data`(message: String, event: String) throws {
        #expect(try Self.text(Self.recovered([Self.entry(message)], last: 7)) == "id: e:7\n" + event)
    }

    @Test func `binary messages are skipped, and keep their offsets`() throws {
        let events = Self.recovered([Self.entry("a"), Self.entry("b", .binary), Self.entry("c")], last: 9)
        #expect(try Self.text(events) == "id: e:7\ndata: a\n\nid: e:9\ndata: c\n\n")
        #expect((events.skipped, events.tally.text, events.tally.payloadBytes) == (1, 2, 2))
    }

    @Test func `one that missed nothing learns its place`() throws {
        #expect(try Self.text(Self.recovered([], last: 4)) == "id: e:4\n\n")
    }

    @Test func `a gap is an event with the first line as its data`() throws {
        let text = try Self.text(Self.recovered([], last: 4, isWhole: false))
        #expect(
            text.hasPrefix(
                "event: gap\nid: e:4\ndata: {\"recovered\":false,\"epoch\":\"e\",\"offset\":4,\"session\":\""))
        #expect(text.hasSuffix("\"}\n\n"))
    }
}
