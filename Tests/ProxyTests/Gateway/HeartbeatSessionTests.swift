import Configuration
import EventLoop
import Testing
import WebSocketProtocol

@testable import Proxy

/// Heartbeats and timeouts, as both peers see them. Where a test waits for an end, nothing else can come however slow the machine is.
extension SessionTests {
    private static func heartbeat(_ interval: Duration, _ timeout: Duration) -> HeartbeatSettings {
        var settings = HeartbeatSettings()
        settings.interval = interval
        settings.timeout = timeout
        return settings
    }

    /// Soon asked, soon dead.
    private static let quick = heartbeat(.milliseconds(50), .milliseconds(50))
    /// Soon asked, and never dead in this test.
    private static let patient = heartbeat(.milliseconds(20), .seconds(60))

    private static func heartbeats(
        _ backends: [BackendSettings], client: HeartbeatSettings?, backend: HeartbeatSettings? = nil,
        _ change: @escaping (inout RouteSettings) -> Void = { _ in }
    ) -> GatewayConfiguration {
        .serving(backends) {
            $0.heartbeat = client
            $0.backendHeartbeat = backend
            $0.limits.queue = .kibibytes(256)
            change(&$0)
        }
    }

    private func open(
        _ gateway: GatewayUnderTest, _ listener: TestListener, tls: Bool = false, receiveBuffer: Int32? = nil
    ) throws -> (client: TestPeer, server: TestPeer) {
        let client = try TestPeer.asking(
            "/relay", port: gateway.port(tls ? 1 : 0), tls: tls, receiveBuffer: receiveBuffer)
        let server = try TestPeer.server(listener)
        try client.expectUpgrade()
        return (client, server)
    }

    /// The payload of the next frame, which must be a ping of the gateway's.
    private func ping(_ peer: TestPeer, isMasked: Bool = false) throws -> [UInt8] {
        let frame = try peer.receive()
        #expect(frame.opcode == 9)
        #expect(frame.payload.count == 12)
        #expect(frame.isMasked == isMasked)
        return frame.payload
    }

    /// The code of the Close that the gateway sends, whatever pings come before it.
    private func closeBehindPings(_ peer: TestPeer) throws -> Int {
        while true {
            let frame = try peer.receive()
            if frame.opcode == 8 { return Int(frame.payload[0]) << 8 | Int(frame.payload[1]) }
            #expect(frame.opcode == 9)
        }
    }

    // MARK: - Silence

    @Test(arguments: [false, true]) func aSilentClientIsGivenUp(tls: Bool) throws {
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

    @Test func aSilentBackendIsGivenUp() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port)], client: nil, backend: Self.quick)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            _ = try self.ping(server, isMasked: true)
            #expect(try client.receiveClose() == 1014)
            client.close(1014)
            #expect(try client.socket.receiveToEnd().isEmpty)
            #expect(try server.receiveClose() == 1001)
        } log: { log in
            expectClose(log, cause: "backend-ping-timeout", code: "1014", by: "backend")
        }
    }

    /// Inside of a frame that a dead backend began there is no place for a Close.
    @Test func aBackendThatDiesInsideOfAFrameCutsTheClient() throws {
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

    @Test func aSilentClientOfABuiltInServiceIsGivenUp() throws {
        try GatewayUnderTest.run(Self.heartbeats([.echo], client: Self.quick)) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            _ = try self.ping(client)
            #expect(try client.receiveClose() == 1001)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-ping-timeout", code: "1001", by: "client")
        }
    }

    @Test func aBridgesServerGetsTheEndForASilentClient() throws {
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

    @Test(arguments: [false, true]) func whoAnswersLivesAndTheOtherSideSeesNothingOfIt(tls: Bool) throws {
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
            // A ping may have been on its way already.
            #expect(try self.closeBehindPings(server) == 1000)
            server.close(1000)
            #expect(try self.closeBehindPings(client) == 1000)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-closed", code: "1000", by: "client")
        }
    }

    /// There is no other ping before there was life: that one comes shows what counts.
    @Test func dataIsLifeToo() throws {
        try GatewayUnderTest.run(Self.heartbeats([.rooms], client: Self.patient)) { gateway in
            let client = try TestPeer.client("/rooms", port: gateway.port())
            for _ in 0..<4 {
                _ = try self.ping(client)
                client.send(text: "here")
                #expect(try client.receiveText() == "here")
            }
            // Half of a frame as well.
            _ = try self.ping(client)
            client.socket.send([0x81])
            _ = try self.ping(client)
        }
    }

    @Test func thePeersOwnPingsPassThrough() throws {
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

    @Test func aPingWaitsForTheEndOfARelayedFrame() throws {
        let listener = try TestListener()
        let configuration = Self.heartbeats([.relay(to: listener.port), .echo], client: Self.patient)
        try GatewayUnderTest.run(configuration) { gateway in
            let (client, server) = try self.open(gateway, listener)
            let frame = server.frame(.text, Array("text".utf8), fin: false)
            server.socket.send(Array(frame.dropLast()))
            // Meanwhile another client, which began later, is pinged and pinged again.
            let other = try TestPeer.client("/echo", port: gateway.port())
            for _ in 0..<4 { other.send(.pong, try self.ping(other)) }
            server.socket.send([frame[frame.count - 1]] + server.frame(.continuation, [0x21]))
            // Those before the frame's beginning came are allowed.
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

    // MARK: - Timeouts

    /// Pongs are not data.
    @Test func aSessionWithoutDataIsClosed() throws {
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
            #expect(frame == .init(opcode: 8, fin: true, isMasked: false, payload: [0x03, 0xE9]))
            client.close(1001)
            #expect(try server.receiveClose() == 1001)
            server.close(1001)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "idle-timeout", code: "1001", by: "gateway")
        }
    }

    @Test func noSessionLivesLongerThanItMay() throws {
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
            #expect(frame == .init(opcode: 8, fin: true, isMasked: false, payload: [0x03, 0xE9]))
        } log: { log in
            expectClose(log, cause: "session-timeout", code: "1001", by: "gateway")
        }
    }

    /// A session whose time was over before it was open has nothing to say behind its Close.
    @Test func aSessionThatWasOpenedTooLateIsOnlyClosed() throws {
        let clock = BackendSettings(name: "clock", kind: .builtin(.clock(every: .seconds(60))))
        let configuration = Self.heartbeats([.echo, clock], client: nil) {
            $0.timeouts.session = $0.name == "clock" ? .milliseconds(1) : nil
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let request = TestPeer.request("/clock")
            let socket = try TestSocket(port: gateway.port())
            socket.send(Array(request.dropLast()))
            // That takes longer than a millisecond.
            for _ in 0..<20 { try TestPeer.client("/echo", port: gateway.port()).socket.close() }
            socket.send([request.last ?? 0])
            _ = try socket.receive(until: "\r\n\r\n")
            #expect(try socket.receive(4) == Frame.close(.goingAway))
            socket.send(Frame.close(.goingAway, maskingKey: MaskingKey(1, 2, 3, 4)))
            #expect(try socket.receiveToEnd().isEmpty)
        } log: { log in
            #expect(log.filter { $0[text: "route"] == "clock" }.map { $0.event } == ["open", "close"])
        }
    }

    /// The clock and the session's timer are one.
    @Test func aClockTicksBetweenPings() throws {
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

    // MARK: - Stalled

    private static let stall = heartbeat(.milliseconds(100), .milliseconds(200))

    @Test(arguments: [false, true]) func aClientThatTakesNothingIsGivenUp(tls: Bool) throws {
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

    @Test(arguments: ["/relay", "/bridge"]) func aBackendThatTakesNothingIsGivenUp(path: String) throws {
        let listener = try TestListener()
        let backends: [BackendSettings] = [.relay(to: listener.port), .bridge(to: listener.port)]
        let isRelay = path == "/relay"
        // A bridge's server has as long as the client.
        let configuration = Self.heartbeats(
            backends, client: isRelay ? nil : Self.stall, backend: isRelay ? Self.stall : nil)
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking(path, port: gateway.port())
            let server = isRelay ? try TestPeer.server(listener).socket : try listener.accept()
            try client.expectUpgrade()
            _ = client.socket.flood(client.frame(.binary, [UInt8](repeating: 7, count: 60_000)), atMost: 60_000_000)
            #expect(try self.closeBehindPings(client) == 1014)
            server.close()
        } log: { log in
            expectClose(log, cause: "backend-stalled", code: "1014", by: "backend")
        }
    }
}
