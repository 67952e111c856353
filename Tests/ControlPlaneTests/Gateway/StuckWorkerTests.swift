import Configuration
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane

/// A worker that is stuck. One test at a time, as for everything that runs a gateway.
@Suite(.serialized) struct StuckWorkerTests {
    @Test func `a second signal ends the gateway although a worker is stuck`() throws {
        let release = try Doorbell()
        let released = try Doorbell()
        try GatewayUnderTest.run(.serving([.echo], workers: 2)) { gateway in
            try gateway.hold(worker: 0) {
                release.wait()
                released.ring()
            }
            gateway.terminate()
            // The run ends with a second signal, and does not wait for the worker.
        } log: { log in
            let last = try #require(log.last)
            #expect(last.event == "stopped")
            #expect(last[text: "reason"] == "1 of 2 workers did not end in time")
        }
        // The worker uses what belongs to the test, so the test must not end before it.
        release.ring()
        released.wait()
    }

    @Test func `workers that end in time are not logged`() throws {
        try GatewayUnderTest.run(.serving([.echo], workers: 2)) { gateway in
            let client = try TestPeer.client("/echo", port: gateway.port())
            client.send(text: "hello")
            #expect(try client.receiveText() == "hello")
            gateway.terminate()
        } log: { log in
            let last = try #require(log.last)
            #expect(last.event == "stopped" && last[text: "reason"] == nil)
        }
    }
}
