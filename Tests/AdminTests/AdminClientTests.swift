import Configuration
import DataPlane
import System
import Testing

@testable import Admin
@testable import ControlPlane

@Suite struct AdminClientTests {
    private typealias Outcome = Result<AdminClient.Answer, AdminClient.Failure>

    /// Lets the client ask, on a thread of its own, while the loop serves.
    private func ask(
        _ loop: EventLoop, _ address: Address, _ method: String, _ target: String, _ body: [UInt8] = []
    ) throws -> Outcome {
        let mailbox = try Mailbox<Outcome>()
        var outcome: Outcome?
        try mailbox.open(on: loop) { outcome = $0 }
        let thread = try Thread.start("client") {
            do throws(AdminClient.Failure) {
                mailbox.send(.success(try AdminClient.ask(AdminTarget(address), method, target, body: body)))
            } catch {
                mailbox.send(.failure(error))
            }
        }
        defer { thread.join() }
        try turn(loop) { outcome != nil }
        return try #require(outcome)
    }

    @Test func `it sends the request and returns the answer`() throws {
        let control = try FakeControl()
        control.rows = (0..<5000).map { _ in .sample() }
        control.drainOutcome = .undrained
        let server = try AdminServer(
            AdminPlace(GatewayConfiguration.Admin(address: .tcp(host: "localhost", port: 0))), control: control)
        defer { server.close() }
        let port = try #require(server.address.port)
        let address = Address.tcp(host: "localhost", port: port)
        let sessions = control.sessionsAnswer.body
        #expect(
            try self.ask(control.loop, address, "GET", "/api/sessions").get() == .init(status: 200, body: sessions))
        let body = Array(#"{"backend": "a", "undo": true}"#.utf8)
        #expect(
            try self.ask(control.loop, address, "POST", "/api/drain", body).get()
                == .init(status: 200, body: Array("{\"draining\":false}\n".utf8)))
        #expect(control.drained.map(\.selection) == [.backend("a")])
        #expect(try self.ask(control.loop, address, "GET", "/nowhere").get().status == 404)
    }

    @Test func `an error names the address that does not answer`() throws {
        let loop = try EventLoop()
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        let port = try #require(Kernel.localAddress(listener)?.port)
        Kernel.close(listener)
        let tcp = try self.ask(loop, .tcp(host: "127.0.0.1", port: port), "GET", "/")
        #expect(
            tcp
                == .failure(
                    .init(description: "no answer at the admin address 127.0.0.1:\(port): Connection refused")))
        let unix = try self.ask(loop, .unix(path: "/nowhere/x.sock"), "GET", "/")
        #expect(
            unix
                == .failure(
                    .init(
                        description:
                            "no answer at the admin address unix:/nowhere/x.sock: No such file or directory")))
    }

    @Test(arguments: [
        ("", "the connection ended without an answer"),
        ("SSH-2.0-OpenSSH\r\n", "byte 0x53 in the version of the status line"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "the connection ended within the body"),
    ])
    func `an error says that the answer is not the gateway's`(_ answer: String, _ reason: String) throws {
        let loop = try EventLoop()
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        defer { Kernel.close(listener) }
        let other = OneAnswer(listener, answer)
        let registration = try loop.addReading(listener, other)
        defer { loop.remove(registration, listener) }
        let address = Address.tcp(host: "127.0.0.1", port: try #require(Kernel.localAddress(listener)?.port))
        guard case .failure(let failure) = try self.ask(loop, address, "GET", "/") else {
            Issue.record("an answer")
            return
        }
        #expect(
            failure.description
                == "\(address) is no admin address: \(reason); if it has TLS, name it with --admin https://…")
    }

    /// A server that gives every client the same answer and ends its side.
    private final class OneAnswer: ReadinessHandler {
        private let listener: Int32
        private let answer: [UInt8]
        private var accepted: [Int32] = []

        init(_ listener: Int32, _ answer: String) {
            self.listener = listener
            self.answer = Array(answer.utf8)
        }

        deinit { for descriptor in self.accepted { Kernel.close(descriptor) } }

        func ready(_ readiness: Readiness) {
            guard case .accepted(let descriptor, _) = Kernel.accept(self.listener) else { return }
            let answer = self.answer
            _ = Kernel.send(descriptor, answer.span)
            Kernel.endWriting(descriptor)
            self.accepted.append(descriptor)
        }
    }
}
