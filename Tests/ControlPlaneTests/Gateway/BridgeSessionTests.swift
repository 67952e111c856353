import Configuration
import System
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// How bridges end, as both peers see it, and how a slow client holds its backend back.
extension SessionTests {
    // MARK: - The bridge's ends

    @Test func `the server's end is a Close with 1000 after all it sent`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            let server = try listener.accept()
            client.send(text: "to the server")
            #expect(try server.receive(13) == Array("to the server".utf8))
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            let sender = try SessionTests.start(sending: bytes, on: server.descriptor)
            var received: [UInt8] = []
            while received.count < bytes.count {
                let frame = try client.receive()
                #expect(frame.opcode == 2)
                received += frame.payload
            }
            sender.join()
            #expect(received == bytes)
            server.endWriting()
            #expect(try client.receiveClose() == 1000)
            client.close(1000)
            #expect(try client.socket.receiveToEnd().isEmpty)
            server.close()
        } log: { log in
            expectClose(log, cause: "backend-closed", code: "1000", by: "backend")
        }
    }

    @Test func `the server's reset is a Close with 1011`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            try listener.accept().reset()
            #expect(try client.receiveClose() == 1011)
            client.close(1011)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "1011", by: "backend")
        }
    }

    @Test func `the client's Close is an end for the server after all the client sent`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            let server = try listener.accept()
            client.send(.binary, [1, 2, 3])
            client.close(4001)
            #expect(try server.receiveToEnd() == [1, 2, 3])
            #expect(try client.receiveClose() == 4001)
            #expect(try client.socket.receiveToEnd().isEmpty)
            server.close()
        } log: { log in
            expectClose(log, cause: "client-closed", code: "4001", by: "client")
        }
    }

    @Test(arguments: [false, true])
    func `a bridge's client that is gone is an end for the server if that got everything, else a reset`(
        abruptly: Bool
    ) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            let server = try listener.accept()
            client.send(.binary, [1, 2, 3])
            #expect(try server.receive(3) == [1, 2, 3])
            if abruptly { client.socket.reset() } else { client.socket.endWriting() }
            #expect(try server.receiveToEnd().isEmpty)
            server.close()
        } log: { log in
            expectClose(log, cause: "client-gone", code: "none", by: "client")
        }
    }

    @Test func `a text bridge sends whole characters`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port, message: .text)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            let server = try listener.accept()
            SyscallFaults.limitTransfers(to: 1)
            let text = "aé€😀z"
            server.send(Array(text.utf8))
            var heard = ""
            while heard != text, text.hasPrefix(heard) { heard += try client.receiveText() }
            #expect(heard == text)
            // Bytes that are no character are replaced, also those at the end, and the session goes on.
            server.send([0xFF, 0x61, 0xE2, 0x82])
            server.endWriting()
            heard = ""
            while heard.count < 3 { heard += try client.receiveText() }
            #expect(heard == "\u{FFFD}a\u{FFFD}")
            #expect(try client.receiveClose() == 1000)
            client.close(1000)
            server.close()
        } log: { log in
            expectClose(log, cause: "backend-closed", code: "1000", by: "backend")
        }
    }

    // MARK: - Back-pressure

    /// The queue's limit and the kernel's buffers bound how much is held for a client that does not read, and all of it arrives.
    @Test(arguments: ["/relay", "/bridge"]) func `a client that does not read holds its backend back`(
        path: String
    ) throws {
        let listener = try TestListener()
        let configuration = GatewayConfiguration.serving([.relay(to: listener.port), .bridge(to: listener.port)]) {
            $0.limits.queue = .kibibytes(256)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking(path, port: gateway.port(), receiveBuffer: 32 << 10)
            let server = path == "/relay" ? try TestPeer.server(listener).socket : try listener.accept()
            try client.expectUpgrade()
            let payload = (0..<60_000).map { UInt8($0 % 251) }
            let frame = path == "/relay" ? Frame.binary(payload) : payload
            let most = 1000 * frame.count
            let sent = server.flood(frame, atMost: most)
            #expect(sent > 0)
            #expect(sent < most / 2)
            // Now the client reads.
            let count = (sent + frame.count - 1) / frame.count
            let rest = Array(frame.suffix(count * frame.count - sent))
            let sender = try SessionTests.start(sending: rest, on: server.descriptor)
            var received: [UInt8] = []
            while received.count < count * payload.count { received += try client.receive().payload }
            sender.join()
            #expect(received.count == count * payload.count)
            #expect(received == Array(repeatElement(payload, count: count).joined()))
            client.socket.close()
            server.close()
        }
    }
}
