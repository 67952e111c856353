import Configuration
import DataPlane
import Sessions
import System
import Testing
import WebSocketProtocol

@testable import Admin
@testable import ControlPlane
@testable import Observability

@Suite struct AdminSocketTests {
    private static let request = """
        GET /api/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
        """

    /// Runs a server with a listener at `/api/events` that has its 101.
    private func listen(
        patience: Duration = .seconds(20), heartbeat: Duration = .seconds(20),
        _ body: (FakeControl, AdminServer, TestClient) throws -> Void
    ) throws {
        let control = try FakeControl()
        let settings = GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 0))
        let server = try AdminServer(
            AdminPlace(settings), control: control, patience: patience, heartbeat: heartbeat)
        defer { server.close() }
        let client = try TestClient(server.address, control.loop)
        defer { client.close() }
        try client.connect()
        client.send(Self.request)
        try turn(control.loop) { client.received.suffix(4) == [13, 10, 13, 10] }
        #expect(String(decoding: client.received, as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
        try body(control, server, client)
    }

    /// The frames behind the 101.
    private func frames(_ client: TestClient) -> [(opcode: Opcode, payload: [UInt8])] {
        guard let end = client.received.firstRange(of: [13, 10, 13, 10])?.upperBound else { return [] }
        let bytes = Array(client.received[end...])
        var reader = FrameReader(rules: .init(expectsMask: false))
        var frames: [(opcode: Opcode, payload: [UInt8])] = []
        var position = 0
        while true {
            switch reader.next(bytes.span, at: &position) {
            case .data(let part):
                let payload = Array(bytes[part.range])
                if part.isFirst {
                    frames.append((part.messageOpcode, payload))
                } else {
                    frames[frames.count - 1].payload += payload
                }
            case .control(let frame): frames.append((frame.opcode, frame.payload(in: bytes.span)))
            case .violation(let violation):
                Issue.record(violation)
                return frames
            case .end, .incomplete: return frames
            }
        }
    }

    private func texts(_ client: TestClient) -> [String] {
        self.frames(client).filter { $0.opcode == .text }.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    private func event(_ number: Int, padding: Int = 0) -> GatewayEvent {
        .logged(
            Array(#"{"event":"open","number":\#(number),"padding":"\#(String(repeating: "x", count: padding))"}"#.utf8))
    }

    @Test func `a listener gets the events and the summaries`() throws {
        try self.listen { control, server, client in
            #expect(server.connections.isEmpty && server.sockets.count == 1)
            var counts = ActivityTotals()
            counts.sessions = 2
            counts.opens = 3
            counts.closes = [.drain: 1, .clientClosed: 4]
            counts.refusals = [404: 5]
            counts.messages = 6
            counts.bytes = 7
            control.tell?(self.event(1))
            control.tell?(.summary(ActivityPoint(at: .milliseconds(1), counts: counts)))
            control.tell?(.skipped(2))
            try turn(control.loop) { self.texts(client).count == 3 }
            #expect(
                self.texts(client) == [
                    #"{"event":"open","number":1,"padding":""}"#,
                    #"{"event":"summary","at":"1970-01-01T00:00:00.001Z","sessions":2,"opens":3,"#
                        + #""closes":{"client-closed":4,"drain":1},"refusals":{"404":5},"messages":6,"bytes":7}"#,
                    #"{"event":"skipped","count":2}"#,
                ])
        }
    }

    @Test func `without listeners the gateway is not listened to`() throws {
        try self.listen { control, server, client in
            #expect(control.tell != nil)
            client.close()
            try turn(control.loop) { server.sockets.isEmpty }
            #expect(control.tell == nil)
        }
    }

    @Test func `a client that does not answer pings is closed`() throws {
        try self.listen(patience: .milliseconds(20), heartbeat: .milliseconds(20)) { control, server, client in
            try turn(control.loop) { client.hasEnded }
            let frames = self.frames(client)
            #expect(frames.map(\.opcode) == [.ping, .close])
            #expect(frames.last?.payload == CloseFrame(code: .goingAway, reason: "no pong in time").encodedPayload)
            #expect(server.sockets.isEmpty)
        }
    }

    @Test func `a client that answers pings stays`() throws {
        try self.listen(heartbeat: .seconds(1)) { control, server, client in
            for count in 1...2 {
                try turn(control.loop) { self.frames(client).count { $0.opcode == .ping } == count }
                client.send(Frame.pong([], maskingKey: MaskingKey(bits: 7)))
            }
            #expect(self.frames(client).allSatisfy { $0.opcode == .ping } && server.sockets.count == 1)
        }
    }

    @Test func `a client that takes nothing misses messages and is told how many`() throws {
        try self.listen { control, server, client in
            client.isPaused = true
            let count = 3000
            for number in 0..<count {
                control.tell?(self.event(number, padding: 4000))
                if number % 20 == 0 { control.loop.turn(waitingAtMost: .zero) }
            }
            client.resume()
            // All were told, or are counted, in their place.
            func numbers() -> (next: Int, skipped: Int) {
                var (next, skipped) = (0, 0)
                for text in self.texts(client) {
                    if let missed = text.wholeMatch(of: /\{"event":"skipped","count":(\d+)\}/) {
                        skipped += Int(missed.1) ?? 0
                        next += Int(missed.1) ?? 0
                    } else if text.contains("\"number\":\(next),") {
                        next += 1
                    }
                }
                return (next, skipped)
            }
            try turn(control.loop) { numbers().next == count }
            #expect(numbers().skipped > 0)
            control.tell?(self.event(count))
            try turn(control.loop) { numbers().next == count + 1 }
        }
    }

    @Test func `frames may come in any pieces`() throws {
        try self.listen { control, server, client in
            let key = MaskingKey(bits: 0x1234_5678)
            let frames = Frame.text("ignored", maskingKey: key) + Frame.ping([1, 2, 3], maskingKey: key)
            for byte in frames {
                client.send([byte])
                for _ in 0..<3 { control.loop.turn(waitingAtMost: .zero) }
            }
            try turn(control.loop) { self.frames(client).count == 1 }
            #expect(self.frames(client).first?.opcode == .pong && self.frames(client).first?.payload == [1, 2, 3])
        }
    }

    @Test func `a client that does not end after its Close is closed`() throws {
        try self.listen(patience: .milliseconds(20)) { control, server, client in
            client.send(Frame.close(.normal, maskingKey: MaskingKey(bits: 7)))
            try turn(control.loop) { client.hasEnded && server.sockets.isEmpty }
            #expect(self.frames(client).map(\.opcode) == [.close])
        }
    }

    @Test func `the end of the server closes with 1012`() throws {
        try self.listen { control, server, client in
            client.send(Frame.text("unread", maskingKey: MaskingKey(bits: 7)))
            server.close()
            #expect(server.sockets.isEmpty && control.tell == nil)
            try turn(control.loop) { client.hasEnded }
            #expect(client.failure == nil)
            #expect(
                self.frames(client).last?.payload
                    == CloseFrame(code: .serviceRestart, reason: "the gateway ends").encodedPayload)
        }
    }
}
