import Configuration
import DataPlane
import Sessions
import System
import Testing
import WebSocketProtocol

@testable import Admin
@testable import ControlPlane
@testable import DataPlane
@testable import Observability

@Suite struct TailStreamTests {
    private static let session = "00000000000000a1"

    private static func frame(
        _ opcode: Opcode, _ payload: [UInt8]?, size: Int? = nil, isCompressed: Bool = false, isBinary: Bool = false,
        isGateways: Bool = false, showsPayload: Bool = true
    ) throws -> TailedFrame {
        var frame = TailedFrame(
            of: try #require(SessionID(Self.session)), at: .seconds(1_772_366_400) + .microseconds(42), .toClient,
            opcode,
            fin: true, size: size ?? payload?.count ?? 0, isCompressed: isCompressed, isBinary: isBinary,
            isGateways: isGateways, showsPayload: showsPayload)
        frame.payload = payload
        return frame
    }

    private static func line(_ opcode: String, _ size: Int, _ rest: String) -> String {
        #"{"at":"2026-03-01T12:00:00.000042Z","session":"\#(Self.session)","direction":"to-client","opcode":"\#(opcode)","#
            + #""fin":true,"size":\#(size)\#(rest)}"#
    }

    // MARK: - Lines

    private static let lines: [(frame: TailedFrame, line: String)] = [
        (try! frame(.text, Array("é\"\u{1B}".utf8)), line("text", 4, #","text":"é\"\u001b""#)),
        (try! frame(.binary, Array("ab".utf8), isBinary: true), line("binary", 2, #","base64":"YWI=""#)),
        (try! frame(.text, [0xC3]), line("text", 1, #","base64":"ww==""#)),
        (try! frame(.text, Array("a".utf8), size: 9), line("text", 9, #","text":"a","cut":true"#)),
        (
            try! frame(.text, Array("a".utf8), isCompressed: true),
            line("text", 1, #","compressed":true,"base64":"YQ==""#)
        ),
        (
            try! frame(.close, [0x03, 0xE8, 0x61], isBinary: true),
            line("close", 3, #","code":1000,"reason":"a","base64":"A+hh""#)
        ),
        (try! frame(.ping, []), line("ping", 0, #","text":"""#)),
        (try! frame(.text, nil, size: 5, showsPayload: false), line("text", 5, "")),
        (
            try! frame(.close, [0x03, 0xE8], size: 3, isBinary: true, showsPayload: false),
            line("close", 3, #","code":1000"#)
        ),
        (try! frame(.close, [], isBinary: true, showsPayload: false), line("close", 0, "")),
        (try! frame(.ping, [], isGateways: true), line("ping", 0, #","by":"gateway","text":"""#)),
    ]

    @Test(arguments: 0..<Self.lines.count) func `a frame is one JSON object`(_ index: Int) {
        let (frame, line) = Self.lines[index]
        #expect(String(decoding: JSONText.line(of: frame), as: UTF8.self) == line)
    }

    // MARK: - Sockets

    private func request(
        _ target: String, _ body: (FakeControl, TestClient) throws -> Void, prepare: (FakeControl) -> Void = { _ in }
    ) throws {
        let control = try FakeControl()
        prepare(control)
        let server = try AdminServer(
            AdminPlace(GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 0))), control: control)
        defer { server.close() }
        let client = try TestClient(server.address, control.loop)
        defer { client.close() }
        try client.connect()
        client.send(
            "GET \(target) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        try body(control, client)
    }

    private func said(_ client: TestClient) -> String { String(decoding: client.received, as: UTF8.self) }

    @Test func `the 101 comes when the tail is in force, and what came before it is told`() throws {
        try self.request("/api/sessions/\(Self.session)/tail") { control, client in
            try turn(control.loop) { !control.waiting.isEmpty }
            #expect(client.received.isEmpty)
            let (tail, receive) = try #require(control.tails.first)
            let session = try #require(SessionID(Self.session))
            #expect(tail.selection == .session(session))
            receive([.frame(try Self.frame(.text, Array("early".utf8)))])
            control.waiting[0]()
            receive([.skipped(7), .frame(try Self.frame(.text, Array("late".utf8)))])
            try turn(control.loop) { self.said(client).contains("late") }
            let said = self.said(client)
            #expect(said.hasPrefix("HTTP/1.1 101 "))
            let early = try #require(said.firstRange(of: "early")?.lowerBound)
            let skipped = try #require(said.firstRange(of: #"{"skipped":7}"#)?.lowerBound)
            #expect(early < skipped)
        } prepare: {
            $0.isSlow = true
        }
    }

    @Test(arguments: ["/api/sessions/\(session)/tail", "/api/tail?route=a"])
    func `a tail of nothing is 404`(_ target: String) throws {
        try self.request(target) { _, client in
            let status = try client.status()
            #expect(status == 404)
        } prepare: {
            $0.knowsTail = false
        }
    }

    @Test func `all is told before the end of the session, however late the client reads`() throws {
        try self.request("/api/sessions/\(Self.session)/tail") { control, client in
            try turn(control.loop) { self.said(client).contains("101") }
            client.isPaused = true
            let (tail, receive) = try #require(control.tails.first)
            let frame = try Self.frame(.text, Array(String(repeating: "x", count: 60_000).utf8))
            var count = 0
            while tail.reserve(frame.footprint) {
                receive([.frame(frame)])
                count += 1
            }
            tail.skip()
            receive([.ended])
            client.resume()
            let close = Frame.close(.normal, reason: "session ended")
            try turn(control.loop) { client.received.suffix(close.count) == close[...] }
            let said = self.said(client)
            #expect(said.contains(#"{"skipped":1}"#))
            #expect(said.ranges(of: #""size":60000"#).count == count)
        }
    }

    private static func close(_ session: SessionID) -> ClosedSession {
        ClosedSession(
            at: .seconds(1_772_366_400), session: session, route: "a", backend: nil, endpoint: nil, client: "192.0.2.1",
            cause: .backendGone, code: 1011, by: "backend", reason: nil, detail: nil, duration: .seconds(1))
    }

    @Test func `how the session ended is said, also when it is over before the tail`() throws {
        let session = try #require(SessionID(Self.session))
        try self.request("/api/sessions/\(Self.session)/tail") { control, client in
            try turn(control.loop) { self.said(client).contains("101") }
            let (_, receive) = try #require(control.tails.first)
            receive([.ended])
            let close = Frame.close(.normal, reason: "session ended: backend-gone, 1011, by the backend")
            try turn(control.loop) { client.received.suffix(close.count) == close[...] }
        } prepare: {
            $0.lastCloses = [Self.close(session)]
        }
        try self.request("/api/sessions/\(Self.session)/tail") { control, client in
            let status = try client.status()
            #expect(status == 404)
            let words = "session \(Self.session) ended at 2026-03-01T12:00:00.000Z: backend-gone, 1011, by the backend"
            #expect(self.said(client).contains(words))
        } prepare: {
            $0.lastCloses = [Self.close(session)]
            $0.knowsTail = false
        }
    }

    @Test func `the tail ends when its client leaves`() throws {
        try self.request("/api/tail?route=a") { control, client in
            try turn(control.loop) { self.said(client).contains("101") }
            client.close()
            try turn(control.loop) { control.endedTails.count == 1 }
            #expect(control.endedTails[0] === control.tails[0].tail)
        }
    }
}
