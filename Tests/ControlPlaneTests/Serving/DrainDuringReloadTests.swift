import Configuration
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane

/// A drain that begins while a reload is under way. The test is the control thread of the gateway.
@Suite struct DrainDuringReloadTests {
    private let path = temporaryPath(".log")

    private func turn(_ gateway: Gateway, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(30)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            gateway.loop.turn(waitingAtMost: .seconds(1))
        }
    }

    /// A session for which the next configuration has no place, on a gateway that reads that one.
    private func gateway(log path: String) throws -> (Gateway, TestPeer) {
        var first = GatewayConfiguration.serving([.echo]) { $0.timeouts.close = .milliseconds(100) }
        first.log.file = path
        first.log.format = .json
        var next = first
        next.routes = []
        let (reread, access) = (next, FileReader.Access(read: { _ throws(FileError) in [] }, stamp: { _ in nil }))
        let source = ConfigurationSource(path: "/gateway.conf") { _ throws(ConfigurationReader.Failure) in reread }
        let gateway = try Gateway(first, source: source, fileAccess: access)
        guard let port = gateway.serving.listeners.listeners[0].address.port else { throw StartError("no port") }
        return (gateway, try TestPeer.client("/echo", port: port))
    }

    @Test func `a session is closed once, by the drain`() throws {
        try SyscallFaults.exclusively {
            defer { removeFile(self.path) }
            let (gateway, client) = try self.gateway(log: self.path)
            var outcomes: [ReloadOutcome] = []
            gateway.reload(dryRun: false) { outcomes.append($0) }
            // It is in force, and the worker has not said what becomes of its sessions.
            try self.turn(gateway) { gateway.serving.configuration.routes.isEmpty }
            #expect(outcomes.isEmpty)
            gateway.drain(because: .admin)
            try self.turn(gateway) { !outcomes.isEmpty }
            // The client does not answer before its time is over: nothing turns the loop while it is waited for.
            gateway.run()
            #expect(try client.receiveClose() == 1012)
            let log = try LogLine.all(FileContents.read(self.path))
            #expect(log.filter { $0.event == "close" }.map { $0[text: "cause"] } == ["drain"])
        }
    }
}
