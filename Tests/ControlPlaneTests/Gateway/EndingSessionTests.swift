import Configuration
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// How relays end, as both peers see it.
extension SessionTests {
    @Test(arguments: [false, true]) func `the backend is told when the client is gone`(abruptly: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            if abruptly { client.socket.reset() } else { client.socket.close() }
            #expect(try server.receiveClose() == 1001)
            server.close(1001)
            server.socket.close()
        } log: { log in
            expectClose(log, cause: "client-gone", code: "none", by: "client")
        }
    }

    @Test(arguments: [false, true]) func `the client is told when the backend is gone`(abruptly: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            if abruptly { server.socket.reset() } else { server.socket.close() }
            #expect(try client.receiveClose() == 1011)
            client.close(1011)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "1011", by: "backend")
        }
    }

    @Test func `the client gets no Close after a backend that is gone in the middle of a frame`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            let frame = Frame.binary([UInt8](0..<100))
            server.socket.send(Array(frame[..<50]))
            #expect(try client.socket.receive(50) == Array(frame[..<50]))
            server.socket.close()
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "none", by: "backend")
        }
    }

    @Test func `a client that closes gets no Close in the middle of a frame`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            let frame = Frame.binary([UInt8](0..<100))
            server.socket.send(Array(frame[..<50]))
            #expect(try client.socket.receive(50) == Array(frame[..<50]))
            client.close(1000)
            #expect(try server.receiveClose() == 1000)
            server.socket.close()
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "none", by: "backend")
        }
    }

    @Test func `a client that half-closes after its Close gets the answer`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            client.close(4001)
            client.socket.endWriting()
            #expect(try server.receiveClose() == 4001)
            server.close(4002)
            #expect(try client.receiveClose() == 4002)
            #expect(try client.socket.receiveToEnd().isEmpty)
            server.socket.close()
        } log: { log in
            expectClose(log, cause: "client-closed", code: "4001", by: "client")
        }
    }

    @Test func `a client that half-closes still gets what it has not read`() throws {
        // More bytes than the kernel accepts.
        let configuration = GatewayConfiguration.serving([.echo]) { $0.limits.queue = .mebibytes(64) }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port(), receiveBuffer: 32 << 10)
            let payload = [UInt8](repeating: 7, count: 60_000)
            for _ in 0..<200 { client.send(.binary, payload) }
            client.close(1000)
            client.socket.endWriting()
            for _ in 0..<200 { #expect(try client.receive().payload == payload) }
            #expect(try client.receiveClose() == 1000)
            #expect(try client.socket.receiveToEnd().isEmpty)
        }
    }

    @Test func `a drain closes both sides`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            // A frame to the client is under way. The Close goes behind it, and before the backend's answer.
            let frame = Frame.binary([UInt8](0..<100))
            server.socket.send(Array(frame[..<50]))
            #expect(try client.socket.receive(50) == Array(frame[..<50]))
            gateway.terminate()
            #expect(try server.receiveClose() == 1001)
            server.socket.send(Array(frame[50...]) + Frame.close(.goingAway))
            #expect(try client.socket.receive(52) == Array(frame[50...]))
            #expect(try client.receiveClose() == 1012)
            client.close(1012)
            #expect(try client.socket.receiveToEnd().isEmpty)
            server.socket.close()
        } log: { log in
            expectClose(log, cause: "drain", code: "1012", by: "gateway")
        }
    }

    /// A second signal means "now": sessions that are not closed yet get their Close before the gateway ends.
    @Test func `a second signal ends a drain`() throws {
        var configuration = GatewayConfiguration.serving([.echo])
        configuration.drain.delay = .seconds(3600)
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            gateway.terminate()
            gateway.terminate()
            #expect(try client.receiveClose() == 1012)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "drain", code: "1012", by: "gateway")
        }
    }
}
