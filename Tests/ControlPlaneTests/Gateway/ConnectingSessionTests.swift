import Configuration
import Synchronization
import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import ControlPlane
@testable import DataPlane

/// How sessions connect to backends: silent endpoints and addresses, and names that move.
extension SessionTests {
    private static func webSocket(_ host: String, _ port: UInt16, tls: Bool = false) -> WebSocketEndpoint {
        WebSocketEndpoint(address: .tcp(host: host, port: port), tls: tls, authority: "\(host):\(port)", path: .client)
    }

    /// A relay or a bridge to these hosts and ports.
    private static func backend(_ kind: String, _ endpoints: [(host: String, port: UInt16)]) -> BackendSettings {
        if kind == "relay" {
            return BackendSettings(name: kind, kind: .websocket(endpoints.map { Self.webSocket($0.host, $0.port) }))
        }
        let endpoints = endpoints.map { TCPEndpoint(address: .tcp(host: $0.host, port: $0.port)) }
        return BackendSettings(name: kind, kind: .tcp(endpoints, message: .binary))
    }

    /// Plays the server of one session.
    private func serve(_ kind: String, _ listener: TestListener) throws -> TestSocket {
        kind == "relay" ? try TestPeer.server(listener).socket : try listener.accept()
    }

    // MARK: - One address

    /// The limit is `connect`, 100 ms here, and not `handshake`, 60 s here, which is longer than a test waits.
    @Test(arguments: ["relay", "bridge"])
    func `after the connect timeout of an endpoint that answers no SYN the next is tried`(
        kind: String
    ) throws {
        let silent = try SilentListener()
        let listener = try TestListener()
        let backend = Self.backend(kind, [("127.0.0.1", silent.port), ("127.0.0.1", listener.port)])
        let configuration = GatewayConfiguration.serving([backend]) {
            $0.timeouts.connect = .milliseconds(100)
            $0.timeouts.handshake = .seconds(60)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            // One of two sessions tries the silent one first.
            for _ in 0..<2 {
                let client = try TestPeer.asking("/\(kind)", port: gateway.port())
                let server = try self.serve(kind, listener)
                try client.expectUpgrade()
                server.close()
            }
        } log: { log in
            #expect(log.count { $0.event == "open" } == 2)
        }
    }

    @Test(arguments: ["relay", "bridge"]) func `if it is the only endpoint the client gets its answer in time`(
        kind: String
    ) throws {
        let silent = try SilentListener()
        let backend = Self.backend(kind, [("127.0.0.1", silent.port)])
        let configuration = GatewayConfiguration.serving([backend]) {
            $0.timeouts.connect = .milliseconds(100)
            $0.timeouts.handshake = .seconds(60)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking("/\(kind)", port: gateway.port())
            let head = String(decoding: try client.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 504 "))
        } log: { log in
            let refused = log.filter { $0.event == "refused" }
            #expect(refused.map { $0[text: "phase"] } == ["connect"])
            #expect(refused.first?[text: "reason"]?.hasSuffix(":\(silent.port): connecting timed out.") == true)
        }
    }

    @Test func `a TLS handshake that stalls takes no longer than the connect timeout`() throws {
        let listener = try TestListener()
        var backend = Self.backend("relay", [])
        backend.kind = .websocket([Self.webSocket("127.0.0.1", listener.port, tls: true)])
        let configuration = GatewayConfiguration.serving([backend]) {
            $0.timeouts.connect = .milliseconds(100)
            $0.timeouts.handshake = .seconds(60)
        }
        try GatewayUnderTest.run(configuration) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let server = try listener.accept()
            let head = String(decoding: try client.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 504 "))
            server.close()
        } log: { log in
            let refused = log.filter { $0.event == "refused" }
            #expect(
                refused.first?[text: "reason"]?.hasSuffix(":\(listener.port): the TLS handshake timed out.") == true)
        }
    }

    // MARK: - Several addresses

    /// The dead address often comes first, but no session waits `connect` for it, which is longer than a test waits.
    @Test(arguments: ["relay", "bridge"]) func `a dead address of a name delays no session for long`(
        kind: String
    ) throws {
        let listener = try TestListener()
        let dead = try SilentListener(.ipv4(0x7F00_0002, port: listener.port))
        let configuration = GatewayConfiguration.serving([Self.backend(kind, [("two.example", listener.port)])]) {
            $0.timeouts.connect = .seconds(60)
            $0.timeouts.handshake = .seconds(120)
        }
        let lookUp: Resolver.LookUp = { _, port in
            .success([.ipv4(0x7F00_0002, port: port), .loopback(port: port)])
        }
        try GatewayUnderTest.run(configuration, lookUp: lookUp) { gateway in
            for _ in 0..<8 {
                let client = try TestPeer.asking("/\(kind)", port: gateway.port())
                let server = try self.serve(kind, listener)
                try client.expectUpgrade()
                server.close()
            }
            #expect(dead.port == listener.port)
        } log: { log in
            #expect(log.count { $0.event == "open" } == 8)
        }
    }

    @Test func `if no address can be connected to the log has all of them`() throws {
        let port = try TestListener().port
        let configuration = GatewayConfiguration.serving([Self.backend("relay", [("two.example", port)])])
        let lookUp: Resolver.LookUp = { _, port in
            .success([.ipv4(0x7F00_0002, port: port), .loopback(port: port)])
        }
        try GatewayUnderTest.run(configuration, lookUp: lookUp) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            let head = String(decoding: try client.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 502 "))
        } log: { log in
            let reason = log.first { $0.event == "refused" }?[text: "reason"] ?? ""
            for host in ["127.0.0.1", "127.0.0.2"] { #expect(reason.contains("\(host):\(port): Connection refused")) }
        }
    }

    /// Without its TLS handshake a connection does not count as open.
    @Test func `after a TLS handshake that fails the other address is tried`() throws {
        let listener = try TestListener()
        let other = try TestListener(.ipv4(0x7F00_0002, port: listener.port))
        var backend = Self.backend("relay", [])
        backend.kind = .websocket([Self.webSocket("two.example", listener.port, tls: true)])
        let lookUp: Resolver.LookUp = { _, port in
            .success([.ipv4(0x7F00_0002, port: port), .loopback(port: port)])
        }
        try GatewayUnderTest.run(.serving([backend]), lookUp: lookUp) { gateway in
            let client = try TestPeer.asking("/relay", port: gateway.port())
            // Either may be tried first.
            let servers = [listener, other]
            let first = listener.hasConnection(orElse: other) ? 0 : 1
            for server in [servers[first], servers[1 - first]] {
                let socket = try server.accept()
                _ = try socket.receive(1)
                socket.reset()
            }
            let head = String(decoding: try client.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 502 "))
        } log: { log in
            let reason = log.first { $0.event == "refused" }?[text: "reason"] ?? ""
            for host in ["127.0.0.1", "127.0.0.2"] {
                #expect(reason.contains("\(host):\(listener.port): TLS: Connection reset by peer"))
            }
        }
    }

    // MARK: - Names

    /// Tries until a session opens. The answer is 502 until the gateway knows the address.
    private func openSoon(_ kind: String, _ gateway: GatewayUnderTest, _ listener: TestListener) throws {
        let end = MonotonicInstant.now() + .seconds(20)
        while MonotonicInstant.now() < end {
            let client = try TestPeer.asking("/\(kind)", port: gateway.port())
            // Either its server gets a connection, or it is refused.
            guard !listener.hasConnection(orElse: client.socket) else {
                let server = try self.serve(kind, listener)
                try client.expectUpgrade()
                return server.close()
            }
            let head = String(decoding: try client.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 502 "))
        }
        Issue.record("no session in 20 s")
    }

    /// The time between two look-ups, 30 s, is longer than a test waits.
    @Test(arguments: ["relay", "bridge"]) func `a name that is not found is looked up again soon`(kind: String) throws {
        let listener = try TestListener()
        let questions = Mutex(0)
        let lookUp: Resolver.LookUp = { host, port in
            let number = questions.withLock { count in
                count += 1
                return count
            }
            return number == 1
                ? .failure(ResolveError(host: host, reason: "not yet")) : .success([.loopback(port: port)])
        }
        let configuration = GatewayConfiguration.serving([Self.backend(kind, [("late.example", listener.port)])])
        try GatewayUnderTest.run(configuration, lookUp: lookUp) { gateway in
            try self.openSoon(kind, gateway, listener)
        } log: { log in
            #expect(log.filter { $0.event.hasPrefix("resolve") }.map(\.event) == ["resolve-failed", "resolved"])
        }
    }

    @Test(arguments: ["relay", "bridge"]) func `a name that moved is looked up when its address refuses connections`(
        kind: String
    ) throws {
        let listener = try TestListener()
        let questions = Mutex(0)
        let lookUp: Resolver.LookUp = { _, port in
            let number = questions.withLock { count in
                count += 1
                return count
            }
            // This address refuses connections.
            return .success([number == 1 ? .ipv4(0x7F00_0002, port: port) : .loopback(port: port)])
        }
        let configuration = GatewayConfiguration.serving([Self.backend(kind, [("moved.example", listener.port)])])
        try GatewayUnderTest.run(configuration, lookUp: lookUp) { gateway in
            try self.openSoon(kind, gateway, listener)
        } log: { log in
            #expect(log.filter { $0.event == "resolved" }.count == 2)
        }
        #expect(questions.withLock { $0 } == 2)
    }
}
