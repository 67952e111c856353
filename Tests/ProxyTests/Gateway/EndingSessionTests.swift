import Configuration
import EventLoop
import Testing
import WebSocketProtocol

@testable import Proxy

/// How sessions begin and end, as both peers see it.
extension SessionTests {
    // MARK: - Early bytes

    @Test func framesBehindTheRequestHeadAreNotLost() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port), .echo])) { gateway in
            let key = MaskingKey(1, 2, 3, 4)
            // More than one read takes.
            let early =
                Frame.text("early", maskingKey: key)
                + Frame.binary([UInt8](repeating: 5, count: 200_000), maskingKey: key)
            let echo = try TestPeer.client("/echo", port: gateway.port(), early: early)
            #expect(try echo.receiveText() == "early")
            #expect(try echo.receive().payload.count == 200_000)

            let client = try TestPeer.asking(
                "/relay", port: gateway.port(), early: Frame.text("early", maskingKey: key))
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            #expect(try server.receiveText() == "early")
            client.send(text: "late")
            #expect(try server.receiveText() == "late")
        }
    }

    @Test(arguments: [false, true]) func framesBehindTheBackends101AreNotLost(tls: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port(tls ? 1 : 0), tls: tls)
            // The last frame is cut in its header.
            let late = Frame.text("late")
            let server = try TestPeer.server(listener, early: Frame.text("early") + Frame.ping([1]) + late[..<1])
            try client.expectUpgrade()
            #expect(try client.receiveText() == "early")
            #expect(try client.receive().opcode == 9)
            server.socket.send(Array(late[1...]))
            #expect(try client.receiveText() == "late")
        }
    }

    @Test func aBackendThatClosesWithIts101IsRelayed() throws {
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

    @Test func aClientThatLeavesDuringTheBackendsHandshakeTakesTheBackendWithIt() throws {
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

    @Test func aClientThatLeavesWhileConnectingIsLetGo() throws {
        // A queue for one, and full: the kernel ignores who else wants to connect.
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

    @Test func aBackendThatIsNotThereIs502() throws {
        let port = try TestListener().port
        try GatewayUnderTest.run(.serving([.relay(to: port), .bridge(to: port)])) { gateway in
            for path in ["/relay", "/bridge"] {
                let client = try TestPeer.asking(path, port: gateway.port())
                let answer = String(decoding: try client.socket.receiveToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 502 "))
            }
        }
    }

    // MARK: - The relay's ends

    @Test(arguments: [false, true]) func aClientThatGoesIsToldToTheBackend(abruptly: Bool) throws {
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

    @Test(arguments: [false, true]) func aBackendThatGoesIsToldToTheClient(abruptly: Bool) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            if abruptly { server.socket.reset() } else { server.socket.close() }
            #expect(try client.receiveClose() == 1014)
            client.close(1014)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "1014", by: "backend")
        }
    }

    @Test func aBackendThatGoesInsideOfAFrameLeavesNoClose() throws {
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

    @Test func aClosingClientGetsNoCloseInsideOfAFrame() throws {
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
            expectClose(log, cause: "client-closed", code: "1000", by: "client")
        }
    }

    @Test func aClientThatEndsItsSideAfterItsCloseGetsTheAnswer() throws {
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

    @Test func whatAClientHasNotReadYetIsNotLostWithItsEnd() throws {
        // More than the kernel takes.
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

    @Test func aDrainTellsBothSides() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            // A frame to the client is under way: its Close waits for the end of it, and goes before the backend's answer.
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

    /// Who asks twice wants it to end now: sessions whose turn has not come are told all the same.
    @Test func aSecondSignalCutsADrain() throws {
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

    // MARK: - The bridge's ends

    @Test func theServersEndIsANormalClosureAfterAllItSent() throws {
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

    @Test func theServersResetIsABadGateway() throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)])) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            try listener.accept().reset()
            #expect(try client.receiveClose() == 1014)
            client.close(1014)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "backend-gone", code: "1014", by: "backend")
        }
    }

    @Test func theClientsCloseIsAnEndForTheServerAfterAllItSent() throws {
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

    @Test(arguments: [false, true]) func aBridgesClientThatGoesEndsTheServerInOrderIfItGotEverything(
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

    @Test func aTextBridgeSendsWholeCharacters() throws {
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
            server.send([0xFF])
            #expect(try client.receiveClose() == 1014)
            server.close()
        } log: { log in
            expectClose(log, cause: "invalid-data", code: "1014", by: "backend")
        }
    }

    // MARK: - Back-pressure

    /// What a client that does not read holds back is bounded by the queue's limit and the kernel's buffers, and none of it is lost.
    @Test(arguments: ["/relay", "/bridge"]) func aClientThatDoesNotReadHoldsItsBackendBack(path: String) throws {
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
            // Then the client reads after all.
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
