import Configuration
import DataPlane
import Glibc
import System
import TestSupport
import Testing

@testable import Admin
@testable import ControlPlane
@testable import Observability

@Suite struct AdminServerTests {
    private static let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Runs a server at a free loopback port during `body`.
    private func serve(
        patience: Duration = .seconds(20), grace: Duration = .seconds(20), users: BasicSettings? = nil,
        _ body: (FakeControl, AdminServer) throws -> Void
    ) throws {
        let control = try FakeControl()
        var settings = GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: 0))
        settings.auth = users
        let server = try AdminServer(AdminPlace(settings), control: control, patience: patience, grace: grace)
        defer { server.close() }
        try body(control, server)
    }

    private func body(_ answer: String) -> Substring {
        answer.firstRange(of: "\r\n\r\n").map { answer[$0.upperBound...] } ?? ""
    }

    // MARK: - Passwords

    private static func request(_ target: String, _ authorization: String? = nil) -> String {
        let field = authorization.map { "Authorization: \($0)\r\n" } ?? ""
        return "POST \(target) HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n"
    }

    @Test func `a request without a good password is challenged, and reaches nothing`() throws {
        var users = BasicSettings(file: "users")
        users.realm = "ops"
        try self.serve(users: users) { control, server in
            control.logins = ["Basic crowded": .crowded]
            for authorization in [nil, "Basic wrong", "Bearer a"] {
                let request = Self.request("/api/drain", authorization)
                let answer = try TestClient.ask(server.address, control.loop, request)
                #expect(answer.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
                #expect(answer.contains("\r\nWWW-Authenticate: Basic realm=\"ops\", charset=\"UTF-8\"\r\n"))
            }
            let crowded = try TestClient.ask(
                server.address, control.loop, Self.request("/api/drain", "Basic crowded"))
            #expect(crowded.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(crowded.contains("\r\nRetry-After: 1\r\n"))
            #expect(control.drained.isEmpty && control.changes.isEmpty)
            #expect(try TestClient.ask(server.address, control.loop, Self.request).hasSuffix("\r\n\r\nok\n"))
        }
    }

    @Test func `a change is that of the user whose password came with it`() throws {
        try self.serve(users: BasicSettings(file: "users")) { control, server in
            control.logins = ["Basic right": .user("alice")]
            let answer = try TestClient.ask(
                server.address, control.loop, Self.request("/api/drain", "Basic right"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(control.changes.map(\.asker) == ["alice"])
        }
        try self.serve { control, server in
            _ = try TestClient.ask(server.address, control.loop, Self.request("/api/drain", "Basic right"))
            #expect(control.changes.map(\.asker) == ["127.0.0.1"])
        }
    }

    @Test func `a password that takes too long is answered with 504, and reaches nothing`() throws {
        try self.serve(patience: .milliseconds(50), users: BasicSettings(file: "users")) { control, server in
            control.logins = ["Basic right": .user("alice")]
            control.isSlow = true
            let answer = try TestClient.ask(
                server.address, control.loop, Self.request("/api/drain", "Basic right"))
            #expect(answer.hasPrefix("HTTP/1.1 504 "))
            for answer in control.waiting { answer() }
            #expect(control.drained.isEmpty)
        }
    }

    // MARK: - Well-behaved clients

    @Test func `it answers once and ends the connection`() throws {
        try self.serve { control, server in
            #expect(server.address.port != 0)
            let answer = try TestClient.ask(server.address, control.loop, Self.request)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("\r\nConnection: close\r\n"))
            #expect(self.body(answer) == "ok\n")
        }
    }

    @Test func `every question reaches the gateway`() throws {
        try self.serve { control, server in
            control.rows = [.sample()]
            control.families = [.init("a", .gauge, help: "b", samples: [.init([], .number(1))])]
            control.readiness = .draining
            control.drainOutcome = .draining(sessions: 7)
            func ask(_ method: String, _ target: String, _ body: String = "") throws -> String {
                try TestClient.ask(
                    server.address, control.loop,
                    "\(method) \(target) HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
            }
            #expect(try ask("GET", "/readyz").hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            let metrics = try ask("GET", "/metrics")
            #expect(metrics.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(self.body(metrics) == "# HELP a b\n# TYPE a gauge\na 1\n")
            #expect(try ask("GET", "/api/sessions").contains("\"id\":\"00000000000000a1\""))
            #expect(try ask("HEAD", "/api/sessions").hasSuffix("\r\n\r\n"))
            #expect(try ask("GET", "/api/backends").hasSuffix("{\"backends\":[]}\n"))
            let closed = try ask("POST", "/api/sessions/00000000000000a1/close", #"{"code": 4001, "reason": "x"}"#)
            #expect(self.body(closed) == "{\"id\":\"00000000000000a1\",\"code\":4001}\n")
            #expect(try ask("POST", "/api/sessions/00000000000000ff/close").hasPrefix("HTTP/1.1 404 "))
            #expect(control.closed.map(\.code) == [4001, 1008])
            #expect(control.closed.map(\.reason) == ["x", ""])
            #expect(try ask("POST", "/api/reload?dry-run=true").contains("\"kept\":0"))
            #expect(control.reloads == [true])
            #expect(self.body(try ask("POST", "/api/drain")) == "{\"draining\":true,\"sessions\":7}\n")
            #expect(control.drained.map(\.selection) == [.process])
        }
    }

    @Test func `a request may come in any pieces`() throws {
        try self.serve { control, server in
            let request = Array("POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}".utf8)
            for split in 1..<request.count {
                let client = try TestClient(server.address, control.loop)
                try client.connect()
                client.send(Array(request[..<split]))
                // The connection is accepted in one turn and read in the next.
                for _ in 0..<3 { control.loop.turn(waitingAtMost: .zero) }
                client.send(Array(request[split...]))
                #expect(try client.status() == 200)
            }
            #expect(control.drained.count == request.count - 1)
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            for byte in request {
                client.send([byte])
                control.loop.turn(waitingAtMost: .zero)
            }
            #expect(try client.status() == 200)
        }
    }

    @Test func `a client that half-closes gets its answer`() throws {
        try self.serve { control, server in
            control.isSlow = true
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            client.send("GET /api/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.endWriting()
            try turn(control.loop) { !control.waiting.isEmpty }
            control.loop.turn(waitingAtMost: .zero)
            control.waiting[0]()
            #expect(try client.status() == 200)
        }
    }

    @Test func `a request is served while another waits for the gateway`() throws {
        try self.serve { control, server in
            control.isSlow = true
            let waiting = try TestClient(server.address, control.loop)
            try waiting.connect()
            waiting.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try turn(control.loop) { !control.waiting.isEmpty }
            #expect(try TestClient.ask(server.address, control.loop, Self.request).hasPrefix("HTTP/1.1 200 "))
            #expect(!waiting.hasEnded)
            control.waiting[0]()
            #expect(try waiting.status() == 200)
        }
    }

    /// With thousands of routes, backends and sessions these answers take longer than a health check of the process may wait.
    @Test(arguments: ["/metrics", "/api/backends", "/api/sessions"])
    func `long answers are made on another thread than the control thread`(_ target: String) throws {
        try self.serve { control, server in
            control.holdsAside = true
            let waiting = try TestClient(server.address, control.loop)
            try waiting.connect()
            waiting.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try turn(control.loop) { !control.aside.isEmpty }
            #expect(try TestClient.ask(server.address, control.loop, Self.request).hasPrefix("HTTP/1.1 200 "))
            #expect(!waiting.hasEnded)
            control.aside[0]()
            #expect(try waiting.status() == 200)
        }
    }

    @Test func `a slow reader of a long answer delays no other`() throws {
        try self.serve { control, server in
            control.rows = (0..<20_000).map { _ in .sample() }
            let reader = try TestClient(server.address, control.loop)
            reader.isPaused = true
            try reader.connect()
            reader.send("GET /api/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in 0..<3 { control.loop.turn(waitingAtMost: .zero) }
            #expect(try TestClient.ask(server.address, control.loop, Self.request).hasPrefix("HTTP/1.1 200 "))
            #expect(reader.received.isEmpty)
            reader.resume()
            let answer = try reader.answer()
            let expected = control.sessionsAnswer.body
            #expect(expected.count > 6 << 20)
            #expect(Array(self.body(answer).utf8) == expected)
        }
    }

    @Test func `it listens at a Unix socket under any name`() throws {
        let control = try FakeControl()
        let path = temporaryPath(".sock")
        let settings = GatewayConfiguration.Admin(address: .unix(path: path))
        let server = try AdminServer(AdminPlace(settings), control: control)
        let request = "GET /readyz HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        #expect(self.body(try TestClient.ask(.unix(path: path), control.loop, request)) == "ready\n")
        server.close()
        #expect(unsafe access(path, F_OK) == -1)
    }

    // MARK: - Others

    @Test(arguments: [
        ("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("POST /api/drain HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
        ("POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n", 413),
        ("POST /api/drain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("\u{16}\u{3}\u{1}\u{2}\0", 400),
        ("GET / HTTP/2.0\r\n\r\n", 400),
        ("\0\0\0\0", 400),
        ("GET /\(String(repeating: "a", count: 17000)) HTTP/1.1\r\n", 431),
    ])
    func whatIsWrongIsAnsweredAndNothingIsDone(_ request: String, _ status: Int) throws {
        try self.serve { control, server in
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            client.send(request)
            #expect(try client.status() == status)
            #expect(control.drained.isEmpty)
        }
    }

    @Test func `a client that sends more than is read still gets its answer`() throws {
        try self.serve { control, server in
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            client.flood(
                Array("POST /api/drain HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8) + Array(repeating: 0, count: 100_000))
            #expect(try client.status() == 421)
        }
    }

    @Test func `a client that sends nothing gets a 408`() throws {
        try self.serve(patience: .milliseconds(1)) { control, server in
            for request in [
                "", "GET /healthz HTT", "POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{",
            ] {
                let client = try TestClient(server.address, control.loop)
                try client.connect()
                client.send(request)
                #expect(try client.status() == 408)
            }
        }
    }

    @Test func `a connection that ends in the middle of a request is closed`() throws {
        try self.serve { control, server in
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            client.send("GET /hea")
            client.endWriting()
            #expect(try client.status() == 400)
            // Another client leaves while the gateway is asked, and its answer is ignored.
            control.isSlow = true
            let other = try TestClient(server.address, control.loop)
            try other.connect()
            other.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try turn(control.loop) { !control.waiting.isEmpty }
            other.close()
            control.loop.turn(waitingAtMost: .zero)
            control.waiting[0]()
            #expect(try TestClient.ask(server.address, control.loop, Self.request).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a gateway that does not answer is a 504`() throws {
        try self.serve(patience: .milliseconds(1)) { control, server in
            control.isSlow = true
            var statuses: [Int?] = []
            // The limit is so short that even the request can be too slow.
            while statuses.last != 504, statuses.count < 100 {
                let client = try TestClient(server.address, control.loop)
                try client.connect()
                client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                statuses.append(try client.status())
            }
            #expect(statuses.last == 504)
            // The answers come too late.
            for answer in control.waiting { answer() }
        }
    }

    @Test func `a connection that accepts no bytes is closed`() throws {
        try self.serve(patience: .milliseconds(50)) { control, server in
            control.rows = (0..<20_000).map { _ in .sample() }
            let reader = try TestClient(server.address, control.loop)
            try reader.connect()
            reader.isPaused = true
            reader.send("GET /api/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try turn(control.loop) { server.connections.count == 1 }
            try turn(control.loop) { server.connections.count == 0 }
            reader.resume()
            try turn(control.loop) { reader.hasEnded }
            #expect(reader.received.count < control.sessionsAnswer.body.count)
        }
    }

    @Test func `the number of connections is bounded and the rest wait for a place`() throws {
        try self.serve { control, server in
            var clients: [TestClient] = []
            for _ in 0..<(AdminServer.mostConnections + 6) {
                let client = try TestClient(server.address, control.loop)
                try client.connect()
                clients.append(client)
            }
            let last = clients[AdminServer.mostConnections]
            last.send(Self.request)
            try turn(control.loop) { server.connections.count == AdminServer.mostConnections }
            control.loop.turn(waitingAtMost: .zero)
            #expect(server.connections.count == AdminServer.mostConnections)
            #expect(last.received.isEmpty)
            clients[0].close()
            #expect(try last.status() == 200)
        }
    }

    /// A connection without progress makes room, whether it sent nothing, half a request, or does not end after its answer.
    @Test(arguments: ["", "GET /healthz HTT", request])
    func `the connection that is idle longest makes room for the next`(_ said: String) throws {
        try self.serve(grace: .milliseconds(100)) { control, server in
            var clients: [TestClient] = []
            for _ in 0..<AdminServer.mostConnections {
                let client = try TestClient(server.address, control.loop)
                client.isPaused = true
                try client.connect()
                client.send(said)
                clients.append(client)
                try turn(control.loop) { server.connections.count == clients.count }
            }
            let begun = MonotonicInstant.now()
            for number in 0..<3 {
                let answer = try TestClient.ask(server.address, control.loop, Self.request)
                #expect(answer.hasPrefix("HTTP/1.1 200 "), "request \(number)")
            }
            // The other limits of a connection are longer.
            #expect(.now() - begun < .seconds(10))
            // The first connection was closed first. It got a reason if its request was not complete.
            clients[0].resume()
            try turn(control.loop) { clients[0].hasEnded }
            if !said.hasSuffix("\r\n\r\n") {
                #expect(String(decoding: clients[0].received, as: UTF8.self).hasPrefix("HTTP/1.1 408 "))
            }
            let last = clients[AdminServer.mostConnections - 1]
            last.resume()
            #expect(!last.hasEnded || said.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `a connection that waits for the gateway keeps its place`() throws {
        try self.serve(grace: .milliseconds(1)) { control, server in
            control.isSlow = true
            var clients: [TestClient] = []
            for _ in 0..<AdminServer.mostConnections {
                let client = try TestClient(server.address, control.loop)
                try client.connect()
                client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                clients.append(client)
            }
            try turn(control.loop) { control.waiting.count == AdminServer.mostConnections }
            let next = try TestClient(server.address, control.loop)
            try next.connect()
            next.send(Self.request)
            for _ in 0..<20 { control.loop.turn(waitingAtMost: .milliseconds(5)) }
            #expect(next.received.isEmpty)
            for answer in control.waiting { answer() }
            #expect(try next.status() == 200)
            for client in clients { #expect(try client.status() == 200) }
        }
    }

    // MARK: - The file of a Unix socket

    private func permissions(_ path: String) -> (mode: UInt32, group: UInt32) {
        var status = stat()
        // The kernel writes to this record only.
        #expect(unsafe stat(path, &status) == 0)
        return (status.st_mode & 0o7777, status.st_gid)
    }

    @Test func `only its own user may connect to a Unix socket unless the configuration says otherwise`() throws {
        let control = try FakeControl()
        let umaskBefore = umask(0)
        defer { umask(umaskBefore) }
        for (mode, expected) in [(nil, 0o600), (0o660, 0o660), (0o666, 0o666), (0o200, 0o200)] as [(UInt16?, UInt32)] {
            for mask in [0, 0o077] as [mode_t] {
                umask(mask)
                let path = temporaryPath(".sock")
                var settings = GatewayConfiguration.Admin(address: .unix(path: path))
                settings.access = mode.map { FileAccessSettings(mode: $0, group: String(getgid())) }
                let server = try AdminServer(AdminPlace(settings), control: control)
                #expect(self.permissions(path) == (expected, getgid()))
                server.close()
            }
        }
    }

    @Test func `a group that does not exist is named`() throws {
        var settings = GatewayConfiguration.Admin(address: .unix(path: temporaryPath(".sock")))
        settings.access = FileAccessSettings(mode: 0o660, group: "no-such-group")
        let error = #expect(throws: StartError.self) { try AdminPlace(settings) }
        #expect(error?.description == "admin: there is no group no-such-group")
        #expect(AdminPlace.problem(in: settings) == error?.description)
        settings.access?.group = "root"
        #expect(AdminPlace.problem(in: settings) == nil)
    }

    @Test func `closing the server ends connections without their answers`() throws {
        try self.serve { control, server in
            let client = try TestClient(server.address, control.loop)
            try client.connect()
            try turn(control.loop) { server.connections.count == 1 }
            server.close()
            #expect(server.connections.count == 0)
            try turn(control.loop) { client.hasEnded }
            #expect(throws: SystemError.self) {
                let late = try TestClient(server.address, control.loop)
                try turn(control.loop) { late.hasEnded }
                throw try #require(late.failure)
            }
        }
    }

    @Test func `an address that is in use is a start error`() throws {
        try self.serve { control, server in
            let port = try #require(server.address.port)
            let error = try #require(throws: StartError.self) {
                _ = try AdminServer(
                    AdminPlace(GatewayConfiguration.Admin(address: .tcp(host: "127.0.0.1", port: port))),
                    control: control)
            }
            #expect(
                error.description
                    == "cannot listen on the admin address 127.0.0.1:\(port): Address already in use")
        }
    }
}
