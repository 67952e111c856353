import Credentials
import DataPlane
import Observability
import Synchronization
import System
import TestSupport
import Testing

@testable import Configuration
@testable import ControlPlane

/// Keys from a URL, seen from the control thread.
@Suite struct KeyRefreshTests {
    /// Name servers that say nothing until they are told to.
    private final class Names: Sendable {
        private let isSilent = Atomic(true)
        private let bell: Doorbell

        init() throws { self.bell = try Doorbell() }

        func answer() {
            self.isSilent.store(false, ordering: .sequentiallyConsistent)
            self.bell.ring()
        }

        @Sendable func lookUp(_ host: String, _ port: UInt16) -> Result<[SocketAddress], ResolveError> {
            while self.isSilent.load(ordering: .sequentiallyConsistent) { self.bell.wait() }
            return .failure(ResolveError(host: host, reason: "no such name"))
        }
    }

    @Test func `a name that is not found holds up neither the control thread nor a start for long`() throws {
        try SyscallFaults.exclusively {
            let names = try Names()
            let url = try WebURL(parsing: "https://slow.example/keys?secret=1")
            var settings = GatewayConfiguration.serving([.echo])
            settings.routes[0].auth = [
                .jwt(JWTSettings(keys: .url(url, ca: nil), algorithms: [.es256], audience: .any))
            ]
            settings.log.file = temporaryPath(".log")
            settings.log.format = .json
            let log = settings.log.file ?? ""
            defer { removeFile(log) }
            let gateway = try Gateway(settings, lookUp: { names.lookUp($0, $1) })
            #expect(gateway.keys.completed(gateway.serving.credentials.contents).keys.isEmpty)
            var ticks = 0
            let ticking = ControlTimer(gateway.loop, every: .milliseconds(10)) { ticks += 1 }
            let end = MonotonicInstant.now() + .seconds(30)
            while gateway.keys.counted.failed == 0 {
                try #require(.now() < end, "nothing happens any more")
                gateway.loop.turn(waitingAtMost: .seconds(1))
            }
            ticking.cancel()
            #expect(ticks > 10)
            names.answer()
            gateway.terminate()
            gateway.run()
            let lines = try LogLine.all(FileContents.read(log)).filter { $0.event == "keys-not-fetched" }
            #expect(lines.first?[text: "url"] == "https://slow.example/keys")
            let reason = lines.first?[text: "reason"] ?? ""
            #expect(reason.contains("was not resolved within 5"), "\(reason)")
        }
    }
}
