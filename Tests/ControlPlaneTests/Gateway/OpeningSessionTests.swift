import Configuration
import TestSupport
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// How sessions open, or fail to, as both peers see it.
extension SessionTests {
    // MARK: - Early bytes

    @Test func `frames behind the request head reach the backend`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port), .echo])) { gateway in
            let key = MaskingKey(1, 2, 3, 4)
            // More than one read accepts.
            let early =
                Frame.text("early", maskingKey: key)
                + Frame.binary([UInt8](repeating: 5, count: 200_000), maskingKey: key)
            let echo = try TestPeer.client("/echo", port: gateway.port(), early: early)
            #expect(try echo.receiveText() == "early")
            #expect(try echo.receiveMessage().payload.count == 200_000)

            let client = try TestPeer.asking(
                "/relay", port: gateway.port(), early: Frame.text("early", maskingKey: key))
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            #expect(try server.receiveText() == "early")
            client.send(text: "late")
            #expect(try server.receiveText() == "late")
        }
    }

    @Test(arguments: [false, true]) func `frames behind the backend's 101 reach the client`(tls: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port(tls ? 1 : 0), tls: tls)
            // The last frame comes in two parts, split in its header.
            let late = Frame.text("late")
            let server = try TestPeer.server(listener, early: Frame.text("early") + Frame.ping([1]) + late[..<1])
            try client.expectUpgrade()
            #expect(try client.receiveText() == "early")
            #expect(try client.receive().opcode == 9)
            server.socket.send(Array(late[1...]))
            #expect(try client.receiveText() == "late")
        }
    }

    @Test func `a Close that comes with the backend's 101 is relayed`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener, early: Frame.close(CloseCode(rawValue: 3001), reason: "full"))
            server.socket.endWriting()
            try client.expectUpgrade()
            #expect(try client.receiveClose() == 3001)
            client.close(3001)
            #expect(try client.socket.receiveToEnd().isEmpty)
            #expect(try server.receiveClose() == 3001)
            #expect(try server.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-closed", code: "3001", by: "backend")
        }
    }

    // MARK: - The client leaves early

    @Test func `a client that goes during the backend's handshake ends the backend connection`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let (server, _) = try TestPeer.asked(listener)
            client.socket.close()
            #expect(throws: PeerError.self) { try server.socket.receive(1) }
        } log: { log in
            let lines = log.filter { $0.event == "abandoned" }
            #expect(lines.map { $0[text: "phase"] } == ["backend-handshake"])
            #expect(!log.contains { $0.event == "open" })
        }
    }

    @Test func `a client that goes while the gateway connects ends the session`() throws {
        // The queue has one place, and it is taken: the kernel does not answer further connections.
        let listener = try TestListener(backlog: 0)
        let first = try TestSocket(port: listener.port)
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            client.socket.endWriting()
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            let lines = log.filter { $0.event == "abandoned" }
            #expect(lines.map { $0[text: "phase"] } == ["connect"])
        }
        first.close()
    }

    @Test func `a backend that refuses the connection is a 502`() throws {
        let port = try TestListener().port
        try GatewayUnderTest.run(.serving([.relay(to: port), .bridge(to: port)])) { gateway in
            for path in ["/relay", "/bridge"] {
                let client = try TestPeer.asking(path, port: gateway.port())
                let answer = String(decoding: try client.socket.receiveToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 502 "))
            }
        }
    }

    // MARK: - The backend is not there

    /// The endpoint had all the time of the opening handshake, so this is its failure, though not one to connect.
    @Test func `an endpoint that stalls in the TLS handshake is ejected`() throws {
        // The last endpoint is never ejected, so there are two.
        let listeners = [try TestListener(), try TestListener()]
        let endpoints = listeners.map {
            WebSocketEndpoint(
                address: .tcp(host: "127.0.0.1", port: $0.port), tls: true, authority: "localhost", path: .client)
        }
        var backend = BackendSettings(name: "relay", kind: .websocket(endpoints))
        backend.eject = BackendSettings.Eject()
        backend.eject?.failures = 1
        let configuration = GatewayConfiguration.serving([backend]) {
            $0.timeouts.handshake = .milliseconds(200)
            $0.timeouts.connect = .seconds(60)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let answer = String(decoding: try client.socket.receiveToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 504 "))
        } log: { log in
            #expect(log.filter { $0.event == "health" }.map { $0[text: "to"] } == ["down"])
        }
        withExtendedLifetime(listeners) {}
    }
}
