import Configuration
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// Heartbeats, as both peers see them. When a test waits for an end, no other event is possible, however slow the machine is.
extension SessionTests {
    // MARK: - Silence

    @Test(arguments: [false, true]) func `a session with a silent client ends`(tls: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(Self.heartbeats([.relay(to: listener.port)], client: Self.quick)) { gateway in
            let (client, server) = try self.open(gateway, listener, tls: tls)
            _ = try self.ping(client)
            #expect(try client.receiveClose() == 1001)
            #expect(try client.socket.receiveToEnd().isEmpty)
            #expect(try server.receiveClose() == 1001)
            server.close(1001)
            #expect(try server.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-ping-timeout", code: "1001", by: "client")
        }
    }

    @Test func `a session with a silent backend ends`() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port)], client: nil, backend: Self.quick)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            _ = try self.ping(server, isMasked: true)
            #expect(try client.receiveClose() == 1011)
            client.close(1011)
            #expect(try client.socket.receiveToEnd().isEmpty)
            #expect(try server.receiveClose() == 1001)
        } log: { log in
            expectClose(log, cause: "backend-ping-timeout", code: "1011", by: "backend")
        }
    }

    /// The middle of a frame is no place for a Close.
    @Test func `a backend that dies in the middle of a frame ends the client's connection without a Close`() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port)], client: nil, backend: Self.quick)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            let half = Array(server.frame(.binary, [1, 2, 3, 4]).dropLast())
            server.socket.send(half)
            #expect(try client.socket.receiveToEnd() == half)
        } log: { log in
            expectClose(log, cause: "backend-ping-timeout", code: "none", by: "backend")
        }
    }

    @Test func `a session of a built-in service with a silent client ends`() throws {
        try GatewayUnderTest.run(Self.heartbeats([.echo], client: Self.quick)) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            _ = try self.ping(client)
            #expect(try client.receiveClose() == 1001)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-ping-timeout", code: "1001", by: "client")
        }
    }

    @Test func `a bridge's server gets an end when the client is silent`() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(Self.heartbeats([.bridge(to: listener.port)], client: Self.quick)) { gateway in
            let client = try TestPeer.asking("/bridge", port: gateway.port())
            let server = try listener.accept()
            try client.expectUpgrade()
            client.send(.binary, [1, 2])
            #expect(try server.receiveToEnd() == [1, 2])
            #expect(try self.closeBehindPings(client) == 1001)
        } log: { log in
            expectClose(log, cause: "client-ping-timeout", code: "1001", by: "client")
        }
    }

    // MARK: - Life

    @Test(arguments: [false, true]) func `a side that answers pings stays and the other side sees none of them`(
        tls: Bool
    ) throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats(
            [.relay(to: listener.port)], client: Self.patient, backend: Self.patient)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener, tls: tls)
            var payloads: [[UInt8]] = []
            for _ in 0..<5 {
                for peer in [client, server] {
                    let payload = try self.ping(peer, isMasked: peer === server)
                    payloads.append(payload)
                    peer.send(.pong, payload)
                }
            }
            #expect(Set(payloads).count == 10)
            #expect(Set(payloads.map { Array($0[..<8]) }).count == 2)
            client.close(1000)
            // A ping may have been sent already.
            #expect(try self.closeBehindPings(server) == 1000)
            server.close(1000)
            #expect(try self.closeBehindPings(client) == 1000)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-closed", code: "1000", by: "client")
        }
    }

    /// The gateway pings again only after it has received something. So the second ping shows what counts.
    @Test func `data counts as an answer to a ping`() throws {
        try GatewayUnderTest.run(Self.heartbeats([.rooms], client: Self.patient)) { gateway in
            let client = try TestPeer.client("/rooms", port: gateway.port())
            for _ in 0..<4 {
                _ = try self.ping(client)
                client.send(text: "here")
                #expect(try client.receiveText() == "here")
            }
            // Half a frame counts too.
            _ = try self.ping(client)
            client.socket.send([0x81])
            _ = try self.ping(client)
        }
    }

    @Test func `the peers' own pings pass through`() throws {
        let listener = try TestListener()
        let slow = Self.heartbeat(.seconds(60), .seconds(60))
        try GatewayUnderTest.run(Self.heartbeats([.relay(to: listener.port)], client: slow, backend: slow)) { gateway in
            let (client, server) = try self.open(gateway, listener)
            for (from, to) in [(client, server), (server, client)] {
                for payload in [[], [1, 2, 3], [UInt8](repeating: 9, count: 12)] as [[UInt8]] {
                    for (opcode, number) in [(Opcode.ping, 9 as UInt8), (.pong, 10)] {
                        from.send(opcode, payload)
                        #expect(
                            try to.receive()
                                == .init(opcode: number, fin: true, isMasked: to === server, payload: payload))
                    }
                }
            }
        }
    }

    @Test func `a ping waits for the end of a relayed frame`() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port), .echo], client: Self.patient)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            let frame = server.frame(.text, Array("text".utf8), fin: false)
            server.socket.send(Array(frame.dropLast()))
            // Meanwhile another client, which came later, is pinged twice.
            let other = try TestPeer.client("/echo", port: gateway.port())
            for _ in 0..<4 { other.send(.pong, try self.ping(other)) }
            server.socket.send([frame[frame.count - 1]] + server.frame(.continuation, [0x21]))
            // Pings before the beginning of the frame are permitted.
            var received = try client.receive()
            while received.opcode == 9 { received = try client.receive() }
            #expect(received.payload == Array("text".utf8))
            let payload = try self.ping(client)
            #expect(try client.receive() == .init(opcode: 0, fin: true, isMasked: false, payload: [0x21]))
            client.send(.pong, payload)
            client.send(text: "after")
            #expect(try server.receiveText() == "after")
        }
    }

    // MARK: - Stalled

    private static let stall = heartbeat(.milliseconds(100), .milliseconds(200))

    @Test(arguments: [false, true]) func `a session with a client that accepts no bytes ends`(tls: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(Self.heartbeats([.relay(to: listener.port)], client: Self.stall)) { gateway in
            let (client, server) = try self.open(gateway, listener, tls: tls, receiveBuffer: 32 << 10)
            _ = server.socket.flood(server.frame(.binary, [UInt8](repeating: 7, count: 60_000)), atMost: 60_000_000)
            #expect(try server.receiveClose() == 1001)
            client.socket.close()
        } log: { log in
            expectClose(log, cause: "client-stalled", code: "none", by: "client")
        }
    }

    @Test(arguments: ["/relay", "/bridge"]) func `a session with a backend that accepts no bytes ends`(
        path: String
    ) throws {
        let listener = try TestListener()
        let backends: [BackendSettings] = [.relay(to: listener.port), .bridge(to: listener.port)]
        let isRelay = path == "/relay"
        // A bridge's server has as much time as the client.
        let configuration = Self.heartbeats(
            backends, client: isRelay ? nil : Self.stall, backend: isRelay ? Self.stall : nil)
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking(path, port: gateway.port())
            let server = isRelay ? try TestPeer.server(listener).socket : try listener.accept()
            try client.expectUpgrade()
            _ = client.socket.flood(client.frame(.binary, [UInt8](repeating: 7, count: 60_000)), atMost: 60_000_000)
            #expect(try self.closeBehindPings(client) == 1011)
            server.close()
        } log: { log in
            expectClose(log, cause: "backend-stalled", code: "1011", by: "backend")
        }
    }
}
