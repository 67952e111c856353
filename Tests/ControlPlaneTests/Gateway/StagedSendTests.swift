import Configuration
import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// Bytes that are staged for the end of a turn go before what is sent later, and all of them arrive.
@Suite(.serialized) struct StagedSendTests {
    typealias Sends = GatewayUnderTest.Sends

    private func payload(_ size: Int, _ number: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
    }

    // MARK: - One session

    /// Some messages are staged, some are too large for that, some continue a staged one. All come in one read.
    @Test(arguments: Sends.allCases, [false, true]) func `a large message stays behind the small one before it`(
        sends: Sends, tls: Bool
    ) throws {
        let sizes = [1, 4000, 200, 5000, 3, 0, 20_000, 4096, 4090, 7, 30_000, 1]
        try GatewayUnderTest.run(.serving([.echo]), sends: sends) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port(tls ? 1 : 0), tls: tls)
            let messages = sizes.enumerated().map { self.payload($1, $0) }
            for limit in [Int.max, 1000, 5] {
                SyscallFaults.limitTransfers(to: limit)
                client.socket.send(messages.flatMap { client.frame(.binary, $0) })
                for message in messages { #expect(try client.receive().payload == message) }
            }
        }
    }

    @Test(arguments: Sends.allCases, [false, true]) func `the end comes after the staged bytes`(
        sends: Sends, tls: Bool
    ) throws {
        try GatewayUnderTest.run(.serving([.echo]), sends: sends) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port(tls ? 1 : 0), tls: tls)
            client.socket.send(client.frame(.text, Array("last".utf8)) + client.frame(.close, [3, 232]))
            #expect(try client.receiveText() == "last")
            #expect(try client.receiveClose() == 1000)
            #expect(try client.socket.receiveToEnd().isEmpty)
        } log: { log in
            expectClose(log, cause: "client-closed", code: "1000", by: "client")
        }
    }

    /// The backend's connection is closed in the turn in which it gets its last bytes.
    @Test(arguments: Sends.allCases) func `a leg that is closed gets the staged bytes`(sends: Sends) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)]), sends: sends) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try TestPeer.server(listener)
            try client.expectUpgrade()
            let messages = (0..<3).map { client.frame(.text, self.payload(10, $0 * 50 % 60)) }.flatMap { $0 }
            client.socket.send(messages)
            client.socket.close()
            #expect(try server.socket.receive(messages.count) == messages)
            #expect(try server.receiveClose() == 1001)
            server.socket.close()
        } log: { log in
            expectClose(log, cause: "client-gone", code: "none", by: "client")
        }
    }

    @Test(arguments: Sends.allCases) func `a server behind a bridge gets the staged bytes and then the end`(
        sends: Sends
    ) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.bridge(to: listener.port)]), sends: sends) { gateway in
            let client = try TestPeer.client("/bridge", port: gateway.port())
            let server = try listener.accept()
            client.socket.send(client.frame(.binary, [1, 2, 3]) + client.frame(.binary, [4]))
            client.socket.endWriting()
            // An end and not a reset: everything was sent.
            #expect(try server.receiveToEnd() == [1, 2, 3, 4])
            server.close()
        } log: { log in
            expectClose(log, cause: "client-gone", code: "none", by: "client")
        }
    }

    // MARK: - Many sessions

    /// No fault is injected: many sessions at once cause this by themselves.
    @Test(arguments: Sends.allCases, [false, true]) func `each of many sessions gets its own bytes`(
        sends: Sends, tls: Bool
    ) throws {
        let listener = try TestListener()
        try GatewayUnderTest.run(.serving([.relay(to: listener.port)]), sends: sends) { gateway in
            var clients: [TestPeer] = []
            var servers: [TestPeer] = []
            for _ in 0..<20 {
                clients.append(try TestPeer.asking("/relay", port: gateway.port(tls ? 1 : 0), tls: tls))
                servers.append(try TestPeer.server(listener))
                try clients.last?.expectUpgrade()
            }
            for round in 0..<20 {
                let size = round * 300
                for (index, client) in clients.enumerated() { client.send(.binary, self.payload(size, index)) }
                for (index, server) in servers.enumerated() { server.send(.binary, self.payload(size, index + 100)) }
                for index in clients.indices {
                    #expect(try clients[index].receive().payload == self.payload(size, index + 100))
                    let frame = clients[index].frame(.binary, self.payload(size, index))
                    #expect(try servers[index].socket.receive(frame.count) == frame)
                }
            }
            for client in clients { client.close(1000) }
            for server in servers {
                #expect(try server.receiveClose() == 1000)
                server.close(1000)
            }
            for client in clients { #expect(try client.receiveClose() == 1000) }
        }
    }

    /// Two messages in one turn: every member is in two batches, and the second must wait for the first.
    @Test(arguments: Sends.allCases, [Int.max, 3]) func `the members of a room get messages in order`(
        sends: Sends, limit: Int
    ) throws {
        try GatewayUnderTest.run(.serving([.rooms]), sends: sends) { gateway in
            let members = try (0..<70).map { _ in try TestPeer.client("/rooms", port: gateway.port()) }
            for member in members { try member.barrier() }
            SyscallFaults.limitTransfers(to: limit)
            let texts = ["one", "two", String(repeating: "three", count: 1000), "four"]
            let sender = try #require(members.first)
            sender.socket.send(texts.flatMap { sender.frame(.text, Array($0.utf8)) })
            for member in members {
                for text in texts { #expect(try member.receiveText() == text) }
            }
        }
    }

    /// A member that does not read is closed, with or without staged bytes when its socket is full. The others miss nothing.
    @Test(arguments: Sends.allCases) func `a member that does not read delays no other`(sends: Sends) throws {
        let configuration = GatewayConfiguration.serving([.rooms]) { $0.limits.queue = .kibibytes(64) }
        try GatewayUnderTest.run(configuration, sends: sends) { gateway in
            let members = try (0..<2).map { _ in try TestPeer.client("/rooms", port: gateway.port()) }
            let slow = try TestPeer.client("/rooms", port: gateway.port(), receiveBuffer: 4 << 10)
            for member in members + [slow] { try member.barrier() }
            let sender = try #require(members.first)
            // More than the kernel's buffers and the queue hold together.
            for number in 0..<2500 {
                let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 3000)
                sender.send(.binary, payload)
                for member in members { #expect(try member.receive().payload == payload) }
            }
            slow.socket.close()
        } log: { log in
            #expect(log.filter { $0.event == "close" && $0[text: "cause"] == "slow-consumer" }.count == 1)
        }
    }
}
