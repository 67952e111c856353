import Configuration
import HTTP1
import Testing
import WebSocketProtocol

@testable import Admission

@Suite struct PublishRequestTests {
    private static func decide(
        _ method: String = "POST", _ target: String = "/publish/lobby", _ more: HTTPFields = [:]
    ) -> Admission.Decision {
        var configuration = GatewayConfiguration()
        configuration.backends["rooms"] = BackendSettings(name: "rooms", kind: .builtin(.broadcast))
        configuration.routes = [
            route(.subtree("/publish/"), .publish("rooms")) { $0.limits.message = .bytes(100) },
            route(.subtree("/rooms/"), .backend("rooms")) {
                $0.requireOrigin = true
                $0.origins = .list([OriginPattern(scheme: "https", host: .exact("a.example"), port: 443)])
            },
        ]
        var fields: HTTPFields = ["Host": "example.com"]
        fields.append(more)
        let head = RequestHead(method: method, target: target, fields: fields)
        return Admission.decide(head, Hops(head.fields, directArrival), RouteTable(configuration))
    }

    private static func published(_ more: HTTPFields) throws -> PublishRequest {
        guard case .publish(let request) = self.decide(more) else { throw Refusal(500, "It is not published.") }
        return request
    }

    private static func decide(_ more: HTTPFields) -> Admission.Decision {
        self.decide("POST", "/publish/lobby", more)
    }

    // MARK: - What is published

    @Test func `a POST to a publish route is a message for a room`() throws {
        let request = try Self.published(["Content-Length": "5", "Idempotency-Key": "k", "X-Exclude-Session": "s"])
        #expect(request.room.text == "lobby")
        #expect((request.key, request.excluded) == ("k", "s"))
        #expect(request.keepsClient && !request.expectsContinue)
        #expect(try !Self.published(["Connection": "close"]).keepsClient)
        #expect(try Self.published(["Content-Length": "5", "Expect": "100-continue"]).expectsContinue)
    }

    @Test(
        arguments: [
            ("GET", "/publish/lobby", [:], 405), ("OPTIONS", "/publish/lobby", [:], 405),
            ("POST", "/publish/", [:], 400), ("POST", "/publish/%ff", [:], 400),
            ("POST", "/publish/lobby", ["Origin": "https://a.example"], 403),
            ("POST", "/publish/lobby", ["Origin": "http://example.com"], 200),
            ("POST", "/publish/lobby", ["Content-Length": "100"], 200),
            ("POST", "/publish/lobby", ["Content-Length": "101"], 413),
            ("POST", "/publish/lobby", ["Idempotency-Key": ""], 400),
            ("POST", "/publish/lobby", ["Idempotency-Key": String(repeating: "k", count: 256)], 200),
            ("POST", "/publish/lobby", ["Idempotency-Key": String(repeating: "k", count: 257)], 400),
        ] as [(String, String, HTTPFields, Int)])
    func `the head alone refuses what cannot be published`(
        method: String, target: String, fields: HTTPFields, expected: Int
    ) {
        #expect(status(Self.decide(method, target, fields)) == expected)
    }

    @Test(
        arguments: [
            ("a", nil, Opcode.text), ("grüße", "application/json", .text), ("", nil, .text),
            ("a", "application/octet-stream", .binary), ("a", "Application/Octet-Stream; x=y", .binary),
        ] as [(String, String?, Opcode)])
    func `a message is text unless its type says otherwise`(text: String, type: String?, opcode: Opcode) throws {
        let request = try Self.published(type.map { ["Content-Type": $0] } ?? [:])
        #expect(request.message(Array(text.utf8)) == Message(opcode: opcode, payload: Array(text.utf8)))
    }

    @Test(arguments: [[0xFF], [0xC3], [0x61, 0xED, 0xA0, 0x80]] as [[UInt8]])
    func `what is not UTF-8 is binary`(payload: [UInt8]) throws {
        #expect(try Self.published([:]).message(payload).opcode == .binary)
    }

    // MARK: - The payload

    @Test func `a payload is the same however its body is cut`() throws {
        let bodies: [(fields: HTTPFields, body: String)] = [
            (["Content-Length": "11"], "hello world"),
            (["Transfer-Encoding": "chunked"], "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"),
        ]
        for (fields, body) in bodies {
            let bytes = Array((body + "GET / HTTP/1.1").utf8)
            for cut in 0...bytes.count {
                var payload = try Self.published(fields).payload
                var progress = PublishedPayload.Progress.more
                var taken = 0
                for part in [bytes[..<cut], bytes[cut...]] where progress == .more {
                    var index = 0
                    progress = payload.take(Array(part).span, from: &index)
                    taken += index
                }
                #expect(progress == .whole && payload.bytes == Array("hello world".utf8))
                #expect(taken == body.utf8.count)
            }
        }
    }

    @Test func `a payload over the limit is noticed before it is whole`() throws {
        var payload = try Self.published(["Transfer-Encoding": "chunked"]).payload
        var index = 0
        let first = Array("64\r\n\(String(repeating: "a", count: 100))\r\n".utf8)
        #expect(payload.take(first.span, from: &index) == .more)
        index = 0
        #expect(payload.take(Array("1\r\nb".utf8).span, from: &index) == .tooLarge)
    }

    @Test func `a broken chunk is no payload`() throws {
        var payload = try Self.published(["Transfer-Encoding": "chunked"]).payload
        var index = 0
        guard case .invalid = payload.take(Array("x\r\n".utf8).span, from: &index) else {
            Issue.record("it was taken")
            return
        }
    }

    // MARK: - Events

    private static func events(_ more: HTTPFields, _ target: String = "/rooms/lobby") throws(Refusal) -> EventsRequest {
        var fields: HTTPFields = ["Accept": "text/event-stream"]
        fields.append(more)
        switch self.decide("GET", target, fields) {
        case .events(let request): return request
        case .refused(let refusal): throw refusal
        default: throw Refusal(500, "These are no events.")
        }
    }

    @Test(
        arguments: [
            ([:], "/rooms/lobby", .now), (["Last-Event-ID": "e:5"], "/rooms/lobby", .since(epoch: "e", offset: 5)),
            ([:], "/rooms/lobby?since=e:5", .since(epoch: "e", offset: 5)), ([:], "/rooms/lobby?last=3", .last(3)),
            (["Last-Event-ID": "e:6"], "/rooms/lobby?since=e:5", .since(epoch: "e", offset: 6)),
            (["Last-Event-ID": "nonsense"], "/rooms/lobby", .unknown),
        ] as [(HTTPFields, String, RoomRequest.Start)])
    func `events begin where the client was`(fields: HTTPFields, target: String, start: RoomRequest.Start) throws {
        #expect(try Self.events(fields, target).room.start == start)
    }

    @Test func `events need no Origin, and no foreign one`() throws {
        #expect(throws: Never.self) { try Self.events([:]) }
        #expect(throws: Never.self) { try Self.events(["Origin": "https://a.example"]) }
        let refusal = #expect(throws: Refusal.self) { try Self.events(["Origin": "https://b.example"]) }
        #expect(refusal?.status == 403)
    }

    @Test(
        arguments: [
            ("text/event-stream", true), ("text/html, text/event-stream;q=0.9", true), ("TEXT/Event-Stream", true),
            ("*/*", false), ("text/*", false), ("text/event-streams", false),
        ])
    func `only those who name events get them`(accept: String, isAsked: Bool) {
        #expect(status(Self.decide("GET", "/rooms/lobby", ["Accept": accept])) == (isAsked ? 200 : 426))
    }

    // MARK: - Places in history

    @Test(
        arguments: [
            ("e:0", .since(epoch: "e", offset: 0)), ("aZ09:12", .since(epoch: "aZ09", offset: 12)), ("e", nil),
            ("e:", nil),
            (":1", nil), ("e:-1", nil), ("e:+1", nil), ("e:1:2", nil), ("e_:1", nil), ("é:1", nil),
            ("e:99999999999999999999", nil),
        ] as [(String, RoomRequest.Start?)])
    func `a place is an epoch and an offset`(text: String, start: RoomRequest.Start?) {
        #expect(RoomRequest.Start(position: text) == start)
    }
}
