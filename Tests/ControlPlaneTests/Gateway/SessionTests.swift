import Configuration
import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// Whole sessions through a gateway in this process. One test at a time, because system calls are made to fail.
@Suite(.serialized) struct SessionTests {
    static let sizes = [0, 1, 125, 126, 65535, 65536]

    /// Frames of all sizes, fragments, and control frames in between. The last frame is a text that marks the end.
    static func conversation(_ key: MaskingKey?, sizes: [Int]) -> [UInt8] {
        func frame(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true) -> [UInt8] {
            Frame.encoded(opcode, payload: payload.span, fin: fin, maskingKey: key)
        }
        var bytes: [UInt8] = []
        for size in sizes {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 11 ^ $0 >> 8) }
            bytes += frame(.binary, payload)
            bytes += frame(.ping, Array(payload.prefix(125)))
            bytes += frame(.text, Array(payload.prefix(3)), fin: false)
            bytes += frame(.pong, [])
            bytes += frame(.continuation, [], fin: false)
            bytes += frame(.ping, [1, 2, 3])
            bytes += frame(.continuation, Array(payload.suffix(300)))
        }
        return bytes + frame(.text, Array("end".utf8))
    }

    /// Sends both directions at once, on threads, so that neither waits for the other.
    private func exchange(
        _ gateway: GatewayUnderTest, _ listener: TestListener, tls: Bool, limit: Int, sizes: [Int]
    ) throws {
        let client = try TestPeer.asking("/relay", port: gateway.port(tls ? 1 : 0), tls: tls)
        let server = try TestPeer.server(listener)
        try client.expectUpgrade()
        SyscallFaults.limitTransfers(to: limit)
        let toBackend = Self.conversation(MaskingKey(9, 8, 7, 6), sizes: sizes)
        let toClient = Self.conversation(nil, sizes: sizes)
        let senders = [
            try Self.start(sending: server.socket.encrypted(toClient), on: server.socket.descriptor),
            try Self.start(sending: client.socket.encrypted(toBackend), on: client.socket.descriptor),
        ]
        #expect(try server.socket.receive(toBackend.count) == toBackend)
        #expect(try client.socket.receive(toClient.count) == toClient)
        for sender in senders { sender.join() }
        client.close(1000)
        #expect(try server.receiveClose() == 1000)
        server.close(1000)
        #expect(try client.receiveClose() == 1000)
        #expect(try client.socket.receiveToEnd().isEmpty)
    }

    static func start(sending bytes: [UInt8], on descriptor: Int32) throws -> Thread.Handle {
        try Thread.start("test-sender") { TestSocket.sendAll(descriptor, bytes) }
    }

    @Test(arguments: [1, 2, 3, 7, Int.max], [false, true])
    func `a relay is byte-exact however short transfers are`(limit: Int, tls: Bool) throws {
        for sends in GatewayUnderTest.Sends.allCases {
            let listener = try TestListener()
            try GatewayUnderTest.run(.serving([.relay(to: listener.port)]), sends: sends) { gateway in
                try self.exchange(
                    gateway, listener, tls: tls, limit: limit,
                    sizes: limit > 2 ? Self.sizes : [0, 1, 125, 126, tls ? 300 : 65537 - limit])
            } log: { log in
                expectClose(log, cause: "client-closed", code: "1000", by: "client")
            }
        }
    }

    @Test func `a frame may be split anywhere`() throws {
        let listener = try TestListener()
        let sizes = [0, 1, 5, 125, 126]
        let longest = 126 + 8
        try GatewayUnderTest.run(.serving([.relay(to: listener.port), .echo])) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            let echo = try TestPeer.client("/echo", port: gateway.port())
            for limit in 1...longest {
                SyscallFaults.limitTransfers(to: limit)
                for size in sizes {
                    let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                    for (opcode, isWhole) in [(Opcode.binary, true), (.binary, false), (.ping, true)] {
                        guard !opcode.isControl || size <= 125 else { continue }
                        let masked =
                            client.frame(opcode, payload, fin: isWhole)
                            + (isWhole ? [] : client.frame(.continuation, payload))
                        client.socket.send(masked)
                        #expect(try server.socket.receive(masked.count) == masked)
                        let plain =
                            server.frame(opcode, payload, fin: isWhole)
                            + (isWhole ? [] : server.frame(.continuation, payload))
                        server.socket.send(plain)
                        #expect(try client.socket.receive(plain.count) == plain)
                        echo.socket.send(masked)
                        let answer = try echo.receive()
                        #expect(answer.opcode == (opcode == .ping ? 10 : 2))
                        #expect(answer.payload == (isWhole ? payload : payload + payload))
                    }
                }
            }
            SyscallFaults.limitTransfers(to: .max)
            client.socket.close()
            echo.socket.close()
            #expect(try server.receiveClose() == 1001)
        }
    }

    @Test func `accepting pauses without descriptors and goes on when there are some`() throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            SyscallFaults.exhaustDescriptors(forAccepts: 2)
            let client = try TestPeer.client("/echo", port: gateway.port())
            client.send(text: "hello")
            #expect(try client.receiveText() == "hello")
        } log: { log in
            #expect(log.filter { $0.event == "accept-paused" }.count == 1)
        }
    }

    // MARK: - Built-in services

    @Test(arguments: [false, true]) func `echo sends every message back`(tls: Bool) throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port(tls ? 1 : 0), tls: tls)
            for size in Self.sizes {
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 3) }
                client.send(.binary, payload)
                #expect(try client.receiveMessage() == .init(opcode: 2, fin: true, isMasked: false, payload: payload))
            }
            // The beginning of a long message comes back before its end is sent.
            let part = [UInt8](repeating: 7, count: 200_000)
            client.send(.binary, part, fin: false)
            var begun: [UInt8] = []
            while begun.count < part.count {
                let frame = try client.receive()
                #expect(frame.opcode == (begun.isEmpty ? 2 : 0) && !frame.fin)
                begun += frame.payload
            }
            #expect(begun == part)
            client.send(.continuation, [])
            #expect(try client.receive() == .init(opcode: 0, fin: true, isMasked: false, payload: []))
            client.send(.text, [0xC3], fin: false)
            try client.barrier()
            client.send(.continuation, [0xA9])
            #expect(try client.receiveText() == "é")
            client.send(.close, [0x0F, 0xA0] + Array("bye".utf8))
            #expect(try client.receiveClose() == 4000)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-closed", code: "4000", by: "client")
            let close = log.first { $0.event == "close" }
            #expect(close?[number: "messages_to_backend"] == Self.sizes.count + 2)
            #expect(close?[number: "messages_to_client"] == Self.sizes.count + 2)
            #expect(close?[number: "bytes_to_client"] == Self.sizes.reduce(200_002, +))
        }
    }

    @Test(
        arguments: [
            ([0x81, 0x01, 0x41], 1002, "protocol-error"), ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007, "invalid-data"),
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0], 1009, "message-too-big"),
        ] as [([UInt8], Int, String)])
    func `a client that breaks a rule is told which`(bytes: [UInt8], code: Int, cause: String) throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            client.socket.send(bytes + (cause == "message-too-big" ? [0, 0, 0, 0] : []))
            #expect(try client.receiveClose() == code)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: cause, code: "\(code)", by: "client")
        }
    }

    @Test func `a clock requires text to be UTF-8`() throws {
        let clock = BackendSettings(name: "clock", kind: .builtin(.clock(every: .seconds(60))))
        try GatewayUnderTest.run(.serving([clock])) { gateway in
            let client = try TestPeer.client("/clock", port: gateway.port())
            #expect(try client.receiveText().count == 24)
            client.send(.binary, [0xFF])
            client.send(.text, [0xC3], fin: false)
            client.send(.continuation, [0xA9])
            try client.barrier()
            client.send(.text, [0xC3], fin: false)
            client.send(.continuation, [])
            #expect(try client.receiveClose() == 1007)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "invalid-data", code: "1007", by: "client")
        }
    }

    @Test func `broadcast reaches every member on both workers`() throws {
        try GatewayUnderTest.run(.serving([.rooms], workers: 2)) { gateway in
            // So many that each worker has some.
            let clients = try (0..<8).map { _ in try TestPeer.client("/rooms", port: gateway.port()) }
            for client in clients { try client.barrier() }
            for (number, client) in clients.enumerated() { client.send(text: "from \(number)") }
            for client in clients {
                let heard = try clients.map { _ in try client.receiveText() }
                #expect(Set(heard) == Set(clients.indices.map { "from \($0)" }))
            }
            for client in clients {
                client.close(1000)
                #expect(try client.receiveClose() == 1000)
            }
        }
    }
}
