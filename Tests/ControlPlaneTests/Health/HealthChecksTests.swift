import Balancing
import Configuration
import Synchronization
import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import Connections
@testable import ControlPlane
@testable import DataPlane
@testable import Observability

/// Active checks of endpoints that are sockets of the test.
@Suite struct HealthChecksTests {
    /// Answers one check as a WebSocket server should, and sees it end in good order.
    private func pass(_ listener: TestListener, _ checks: ChecksUnderTest) throws {
        let server = try TestPeer.server(listener)
        let ping = try server.receive()
        #expect(ping.opcode == 9 && ping.isMasked && ping.payload.count == 8)
        server.send(.text, Array("welcome".utf8))
        server.send(.pong, ping.payload)
        #expect(try server.receiveClose() == 1000)
        // The server ends TCP first (RFC 6455 section 7.1.1).
        try checks.perform { _ in }
        #expect(try !server.socket.hasEnd())
        server.close(1000)
        server.socket.endWriting()
        #expect(try server.socket.receiveToEnd().isEmpty)
    }

    /// Answers one check with a refusal, and expects an orderly end.
    private func refuse(_ listener: TestListener, status: Int = 500) throws {
        let (server, _) = try TestPeer.asked(listener)
        server.socket.send(Array("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n".utf8))
        server.socket.endWriting()
        #expect(try server.socket.receiveToEnd().isEmpty)
    }

    @Test func `fall takes an endpoint down and rise brings it back`() throws {
        let listener = try TestListener()
        let configuration = try ActiveConfiguration.checking([listener.port]) { $0.check(.websocket) }
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            #expect(configuration.endpoint.isAvailable)
            try self.pass(listener, checks)
            for _ in 0..<3 { try self.refuse(listener) }
            try checks.wait(for: "down", "check: answered 500", of: configuration.endpoint, in: configuration.backend)
            try self.refuse(listener, status: 502)
            try checks.wait(for: "down", "check: answered 502", of: configuration.endpoint, in: configuration.backend)
            let before = MonotonicInstant.now()
            try self.pass(listener, checks)
            try self.pass(listener, checks)
            try checks.wait(for: "up", "2 checks passed", of: configuration.endpoint, in: configuration.backend)
            #expect(configuration.endpoint.upSince > before)
            try checks.wait { checks in
                let samples = checks.metrics.last?.samples ?? []
                return samples.prefix(2).map(\.value) == [.number(3), .number(4)]
                    && samples.first?.labels == [
                        .init("backend", "chat"), .init("endpoint", configuration.endpoint.name),
                        .init("result", "passed"),
                    ]
            }
        } log: { log in
            let changes = log.filter { $0.event == "health" }
            #expect(changes.map { $0[text: "from"] } == ["up", "down"])
            #expect(changes.map { $0[text: "to"] } == ["down", "up"])
            #expect(changes.map { $0[text: "reason"] } == ["check: answered 500", "2 checks passed"])
            #expect(changes.map { $0[text: "level"] } == ["warning", "info"])
            #expect(changes.allSatisfy { $0[text: "backend"] == "chat" })
            #expect(changes.allSatisfy { $0[text: "endpoint"] == configuration.endpoint.name })
            let results = log.filter { $0.event == "health-check" }.map { $0[text: "result"] }
            #expect(results.prefix(7) == ["passed", "failed", "failed", "failed", "failed", "passed", "passed"])
        }
    }

    @Test func `a silent endpoint is down and is never checked twice at once`() throws {
        let listener = try TestListener()
        let configuration = try ActiveConfiguration.checking([listener.port]) {
            $0.check(.websocket) {
                $0.timeout = .milliseconds(150)
                $0.fall = 2
            }
        }
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            var last: TestPeer?
            for _ in 0..<3 {
                let server = try TestPeer.server(listener)
                // The previous check is over: the end of its socket is there already.
                if let last { #expect(try last.socket.hasEnd()) }
                #expect(try server.receive().opcode == 9)
                last = server
            }
            try checks.wait(
                for: "down", "check: the pong did not come within 150ms", of: configuration.endpoint,
                in: configuration.backend)
        }
    }

    @Test func `an endpoint that never closes is waited for only so long`() throws {
        let listener = try TestListener()
        let configuration = try ActiveConfiguration.checking([listener.port]) {
            $0.check(.websocket) { $0.timeout = .milliseconds(150) }
        }
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            let server = try TestPeer.server(listener)
            server.send(.pong, try server.receive().payload)
            #expect(try server.receiveClose() == 1000)
            let next = try listener.accept()
            #expect(try server.socket.hasEnd())
            next.close()
        } log: { log in
            #expect(log.first { $0.event == "health-check" }?[text: "result"] == "passed")
        }
    }

    @Test func `a port without a listener is down`() throws {
        let port = try TestListener().port
        let configuration = try ActiveConfiguration.checking([port]) { $0.check(.connect) { $0.fall = 1 } }
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            try checks.wait(
                for: "down", "check: Connection refused", of: configuration.endpoint, in: configuration.backend)
        }
    }

    @Test func `the addresses of a name are tried in turn`() throws {
        let listener = try TestListener()
        let refused = try TestListener().port
        let address = Address.tcp(host: "chat.internal", port: 1)
        let endpoint = WebSocketEndpoint(address: address, tls: false, authority: "chat.internal:1", path: .client)
        var settings = BackendSettings(name: "chat", kind: .websocket([endpoint]))
        settings.check(.http) {
            $0.fall = 1
            $0.rise = 1
        }
        let configuration = try ActiveConfiguration.checking(settings)
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            try checks.wait(
                for: "down", "check: its name is not resolved yet", of: configuration.endpoint,
                in: configuration.backend)
            #expect(
                configuration.endpoint.update(.success([.loopback(port: refused), .loopback(port: listener.port)])))
            let socket = try listener.accept()
            #expect(
                String(decoding: try socket.receive(until: "\r\n\r\n"), as: UTF8.self)
                    .hasPrefix("GET / HTTP/1.1\r\nHost: chat.internal:1\r\n"))
            socket.send(Array("HTTP/1.1 204 OK\r\n\r\n".utf8))
            socket.endWriting()
            try checks.wait(for: "up", "1 check passed", of: configuration.endpoint, in: configuration.backend)
            #expect(try socket.receiveToEnd().isEmpty)
        }
    }

    /// The timeout of a check is longer than a test waits.
    @Test func `a dead address of a name delays no check for long`() throws {
        let listener = try TestListener()
        let dead = try SilentListener(.ipv4(0x7F00_0002, port: listener.port))
        let address = Address.tcp(host: "two.internal", port: listener.port)
        var settings = BackendSettings(name: "tcp", kind: .tcp([TCPEndpoint(address: address)], message: .binary))
        settings.check(.connect) {
            $0.timeout = .seconds(60)
            $0.fall = 1
            $0.rise = 2
        }
        let configuration = try ActiveConfiguration.checking(settings)
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            try checks.wait(
                for: "down", "check: its name is not resolved yet", of: configuration.endpoint,
                in: configuration.backend)
            let addresses = [SocketAddress.ipv4(0x7F00_0002, port: dead.port), .loopback(port: listener.port)]
            #expect(configuration.endpoint.update(.success(addresses)))
            for _ in 0..<2 { try listener.accept().close() }
            try checks.wait(for: "up", "2 checks passed", of: configuration.endpoint, in: configuration.backend)
        }
    }

    /// A name with two addresses, both with TLS. The first one failed last time.
    private func twoAddresses(
        _ addresses: [SocketAddress], _ change: (inout BackendSettings) -> Void
    ) throws -> ActiveConfiguration {
        let port = addresses[0].port ?? 0
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "two.internal", port: port), tls: true, authority: "two.internal:\(port)",
            path: .fixed("/echo")
        )
        var settings = BackendSettings(name: "chat", kind: .websocket([endpoint]))
        change(&settings)
        let configuration = try ActiveConfiguration.checking(settings)
        #expect(configuration.endpoint.update(.success(addresses)))
        configuration.endpoint.failed(at: addresses[0], now: .now())
        return configuration
    }

    /// Sessions try the other address too.
    @Test func `after a reset in the TLS handshake the other address is checked`() throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            let port = try gateway.port(1)
            let other = SocketAddress.ipv4(0x7F00_0002, port: port)
            let resetting = try TestListener(other)
            let configuration = try self.twoAddresses([.loopback(port: port), other]) {
                $0.check(.websocket) { $0.fall = 1 }
                $0.tls.verify = false
            }
            try ChecksUnderTest.run { checks in
                try checks.perform { try $0.take(configuration) }
                let socket = try resetting.accept()
                _ = try socket.receive(1)
                socket.reset()
                try checks.wait { $0.metrics.last?.samples.first?.value == .number(1) }
            } log: { log in
                #expect(!log.contains { $0.event == "health" })
            }
        }
    }

    /// A silent address does not hide the error of another.
    @Test func `the reason has the error of each address`() throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            let port = try gateway.port(1)
            let silent = try SilentListener(.ipv4(0x7F00_0002, port: port))
            let configuration = try self.twoAddresses([.loopback(port: port), .ipv4(0x7F00_0002, port: silent.port)]) {
                $0.check(.websocket) {
                    $0.fall = 1
                    $0.timeout = .seconds(2)
                }
            }
            try ChecksUnderTest.run { checks in
                try checks.perform { try $0.take(configuration) }
                try checks.wait { _ in !configuration.endpoint.isAvailable }
            } log: { log in
                let reason = log.first { $0.event == "health" }?[text: "reason"] ?? ""
                #expect(reason.contains("127.0.0.1:\(port): TLS: ") && reason.contains("127.0.0.2:\(port): timed out"))
            }
        }
    }

    @Test func `a connection is enough, and the server's greeting is read`() throws {
        let listener = try TestListener()
        var settings = BackendSettings.bridge(to: listener.port)
        settings.check(.connect) { $0.rise = 1 }
        let configuration = try ActiveConfiguration.checking(settings)
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            for _ in 0..<2 {
                let socket = try listener.accept()
                #expect(try socket.receiveToEnd().isEmpty)
                socket.send(Array("RFB 003.008\n".utf8))
                socket.endWriting()
                #expect(try socket.receiveToEnd().isEmpty)
            }
            try checks.wait { $0.metrics.last?.samples.first?.value == .number(2) }
        }
    }

    @Test(arguments: [1, 2, 7, Int.max]) func `TLS is part of a check, however short transfers are`(limit: Int) throws {
        try GatewayUnderTest.run(.serving([.echo])) { gateway in
            let port = try gateway.port(1)
            let trusting = try ActiveConfiguration.checking([port], tls: true, path: .fixed("/echo")) {
                $0.check(.websocket)
                $0.tls.verify = false
            }
            let verifying = try ActiveConfiguration.checking([port], tls: true, path: .fixed("/echo")) {
                $0.check(.websocket) { $0.fall = 1 }
            }
            SyscallFaults.limitTransfers(to: limit)
            try ChecksUnderTest.run { checks in
                try checks.perform { try $0.take(trusting) }
                try checks.wait { checks in
                    guard case .number(let passed)? = checks.metrics.last?.samples.first?.value else { return false }
                    return passed >= 2
                }
                #expect(trusting.endpoint.isAvailable)
                try checks.perform { try $0.take(verifying) }
                try checks.wait { _ in !verifying.endpoint.isAvailable }
            } log: { log in
                let reason = try #require(log.first { $0.event == "health" }?[text: "reason"])
                #expect(reason.hasPrefix("check: TLS: "))
            }
        } log: { log in
            let closes = log.filter { $0.event == "close" }
            let clean = closes.count { $0[text: "code"] == "1000" && $0[text: "cause"] == "client-closed" }
            // One check may be interrupted when others begin.
            #expect(clean >= 2 && closes.count - clean <= 1)
        }
    }
}

/// What a reload keeps, and what sessions and operators report.
@Suite struct EndpointStateTests {
    private static func rules(_ settings: inout BackendSettings) {
        settings.eject = BackendSettings.Eject()
        settings.eject?.failures = 2
        settings.eject?.duration = .seconds(3600)
    }

    @Test func `failures of sessions eject an endpoint until its time is over`() throws {
        let configuration = try ActiveConfiguration.checking([1, 2]) {
            Self.rules(&$0)
            $0.eject?.duration = .milliseconds(30)
        }
        let endpoint = configuration.endpoint
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            #expect(!endpoint.connectFailed())
            #expect(endpoint.connectFailed())
            // The control thread is told once. It reads the number of later failures itself.
            #expect(!endpoint.connectFailed())
            try checks.perform { $0.failed(endpoint, because: "gone") }
            try checks.wait(for: "up", "the ejection is over", of: endpoint, in: configuration.backend)
            #expect(endpoint.connectFailed())
            #expect(endpoint.connectSucceeded())
            #expect(!endpoint.connectSucceeded())
            #expect(!endpoint.connectFailed())
        } log: { log in
            let reasons = log.filter { $0.event == "health" }.map { $0[text: "reason"] }
            #expect(reasons == ["ejected: 3 failures in a row, the last: gone", "the ejection is over"])
        }
    }

    @Test func `without a rule nothing is reported`() {
        let endpoint = Endpoint(TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 1)))
        for _ in 0..<100 { #expect(!endpoint.connectFailed()) }
        #expect(!endpoint.connectSucceeded())
        #expect(endpoint.failures.load(ordering: .relaxed) == 0)
    }

    @Test func `late heartbeats take an endpoint down`() throws {
        let configuration = try ActiveConfiguration.checking([1, 2]) { _ in }
        let (endpoint, backend) = (configuration.endpoint, configuration.backend)
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(configuration) }
            endpoint.sessions.store(6, ordering: .relaxed)
            endpoint.missing.store(3, ordering: .relaxed)
            // There is no report of this: the control thread looks.
            try checks.wait(for: "down", "heartbeats: 3 of 6 sessions wait for a pong", of: endpoint, in: backend)
            endpoint.missing.store(0, ordering: .relaxed)
            try checks.wait(for: "up", "heartbeats: 0 of 6 sessions wait for a pong", of: endpoint, in: backend)
        }
    }

    @Test func `a reload keeps what is known of endpoints that stay`() throws {
        let before = try ActiveConfiguration.checking([1, 2], Self.rules)
        let after = try ActiveConfiguration.checking([2, 1, 3], replacing: before, Self.rules)
        let endpoint = before.endpoint
        #expect(after.backend.endpoints[1] === endpoint)
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(before) }
            #expect(!endpoint.connectFailed() && endpoint.connectFailed())
            try checks.perform { $0.failed(endpoint, because: "gone") }
            let reason = "ejected: 2 failures in a row, the last: gone"
            try checks.wait(for: "down", reason, of: endpoint, in: before.backend)
            try checks.perform { try $0.take(after) }
            try checks.wait(for: "down", reason, of: endpoint, in: after.backend)
            try checks.perform { $0.follow(.drain, endpoint) }
            try checks.wait(for: "draining", "drained", of: endpoint, in: after.backend)
            #expect(endpoint.isDraining)
            try checks.perform { $0.follow(.up, endpoint) }
            try checks.wait(for: "down", reason, of: endpoint, in: after.backend)
            // Without the rule the ejection is over. An endpoint that is no longer configured is ignored.
            let without = try ActiveConfiguration.checking([1], replacing: after) { _ in }
            try checks.perform { checks in
                try checks.take(without)
                checks.failed(after.endpoint, because: "gone")
                checks.follow(.drain, after.endpoint)
            }
            try checks.wait(for: "up", "the configuration changed", of: endpoint, in: without.backend)
            #expect(after.endpoint.isAvailable)
        }
    }

    @Test func `a reload leaves unchanged schedules alone`() throws {
        let listener = try TestListener()
        let plan: (inout BackendSettings) -> Void = { $0.check(.connect) }
        let before = try ActiveConfiguration.checking([listener.port], plan)
        let after = try ActiveConfiguration.checking([listener.port], replacing: before, plan)
        let other = try ActiveConfiguration.checking([listener.port], replacing: before) {
            $0.check(.connect) { $0.rise = 9 }
        }
        try ChecksUnderTest.run { checks in
            try checks.perform { try $0.take(before) }
            // A check is in progress.
            let first = try listener.accept()
            try checks.perform { try $0.take(after) }
            first.endWriting()
            try checks.wait { $0.metrics.last?.samples.first?.value == .number(1) }
            // With another plan its result does not count.
            let second = try listener.accept()
            try checks.perform { try $0.take(other) }
            #expect(try second.receiveToEnd().isEmpty)
            let third = try listener.accept()
            #expect(try third.receiveToEnd().isEmpty)
            let without = try ActiveConfiguration.checking([listener.port], replacing: before) { _ in }
            try checks.perform { try $0.take(without) }
            try checks.wait { $0.metrics.last?.samples.isEmpty == true }
        }
    }
}
