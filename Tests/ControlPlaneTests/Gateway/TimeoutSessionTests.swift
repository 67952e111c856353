import Configuration
import TestSupport
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// Timeouts and the clock service. They share the session's timer with its heartbeats.
extension SessionTests {
    /// Pongs do not count as messages.
    @Test func `a session without a message is closed after the idle timeout`() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port)], client: Self.patient) {
            $0.timeouts.idle = .milliseconds(150)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            var frame = try client.receive()
            while frame.opcode == 9 {
                client.send(.pong, frame.payload)
                frame = try client.receive()
            }
            #expect(
                frame
                    == .init(
                        opcode: 8, fin: true, isMasked: false, payload: [0x03, 0xE9] + "no message for too long".utf8))
            client.close(1001)
            #expect(try server.receiveClose() == 1001)
            server.close(1001)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "idle-timeout", code: "1001", by: "gateway")
        }
    }

    @Test func `a session is closed after the session timeout`() throws {
        let configuration = Self.heartbeats([.echo], client: nil) {
            $0.timeouts.idle = .seconds(60)
            $0.timeouts.session = .milliseconds(150)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            var frame: TestPeer.Received
            repeat {
                client.send(text: "busy")
                frame = try client.receive()
            } while frame.opcode == 1
            #expect(
                frame
                    == .init(
                        opcode: 8, fin: true, isMasked: false,
                        payload: [0x03, 0xE9] + "longest time of a session reached".utf8))
        } log: { log in
            expectClose(log, cause: "session-timeout", code: "1001", by: "gateway")
        }
    }

    /// A session that is over before it opens sends nothing behind its Close.
    @Test func `a session that opens after its session timeout is closed at once`() throws {
        let clock = BackendSettings(name: "clock", kind: .builtin(.clock(every: .seconds(60))))
        let configuration = Self.heartbeats([.echo, clock], client: nil) {
            $0.timeouts.session = $0.name == "clock" ? .milliseconds(1) : nil
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let request = TestPeer.request("/clock")
            let socket = try TestSocket(port: gateway.port())
            socket.send(Array(request.dropLast()))
            // This takes longer than a millisecond.
            for _ in 0..<20 { try TestPeer.client("/echo", port: gateway.port()).socket.close() }
            socket.send([request.last ?? 0])
            _ = try socket.receive(until: "\r\n\r\n")
            let close = Frame.close(.goingAway, reason: "longest time of a session reached")
            #expect(try socket.receive(close.count) == close)
            socket.send(Frame.close(.goingAway, maskingKey: MaskingKey(1, 2, 3, 4)))
            #expect(try socket.receiveToEnd().isEmpty)
        } log: { log in
            #expect(log.filter { $0[text: "route"] == "clock" }.map { $0.event } == ["open", "close"])
        }
    }

    /// The clock service and the heartbeat share the session's timer.
    @Test func `a clock ticks between pings`() throws {
        let clock = BackendSettings(name: "clock", kind: .builtin(.clock(every: .milliseconds(30))))
        try GatewayUnderTest.run(Self.heartbeats([clock], client: Self.patient)) { gateway in
            let client = try TestPeer.client("/clock", port: gateway.port())
            var opcodes: Set<UInt8> = []
            var count = 0
            while opcodes != [1, 9] || count < 10 {
                let frame = try client.receive()
                opcodes.insert(frame.opcode)
                count += 1
                if frame.opcode == 9 { client.send(.pong, frame.payload) }
            }
        }
    }
}
