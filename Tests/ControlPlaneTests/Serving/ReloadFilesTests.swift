import Configuration
import Synchronization
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane
@testable import Observability

/// A gateway that waits for a file system goes on with everything else.
@Suite struct ReloadFilesTests {
    private final class Files: Sendable {
        let isHanging = Atomic(true)

        var access: FileReader.Access {
            FileReader.Access(
                read: { path throws(FileError) in
                    let doorbell = try? Doorbell()
                    while self.isHanging.load(ordering: .relaxed) {
                        _ = doorbell.map {
                            $0.ring(); $0.wait()
                        }
                    }
                    return Array("contents of \(path)".utf8)
                }, stamp: { _ in nil })
        }
    }

    /// Turns the loop of this gateway: the test is its control thread.
    private func turn(_ gateway: Gateway, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(30)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            gateway.loop.turn(waitingAtMost: .seconds(1))
        }
    }

    @Test func `a configuration file that hangs is refused, and nothing waits for it`() throws {
        try SyscallFaults.exclusively {
            let files = Files()
            defer { files.isHanging.store(false, ordering: .relaxed) }
            let configuration = GatewayConfiguration.serving([.echo])
            let source = ConfigurationSource(path: "/hanging/gateway.conf") { _ throws(ConfigurationReader.Failure) in
                configuration
            }
            var settings = configuration
            settings.log.file = temporaryPath(".log")
            let gateway = try Gateway(settings, source: source, fileAccess: files.access)
            defer { removeFile(settings.log.file ?? "") }
            var outcomes: [ReloadOutcome] = []
            let begun = gateway.loop.now
            gateway.reload(dryRun: false) { outcomes.append($0) }
            #expect(outcomes.isEmpty)
            // Timers of the control thread fire meanwhile.
            var ticks = 0
            let ticking = ControlTimer(gateway.loop, every: .milliseconds(50)) { ticks += 1 }
            try self.turn(gateway) { !outcomes.isEmpty }
            ticking.cancel()
            #expect(ticks > 1)
            #expect(gateway.loop.now - begun >= FileReader.limit)
            guard case .refused(let mistakes)? = outcomes.first else {
                Issue.record("it was not refused")
                return
            }
            #expect(mistakes == ["/hanging/gateway.conf: cannot be read: reading it took longer than 5 s"])
            // While the thread hangs, another reload is refused at once.
            gateway.reload(dryRun: false) { outcomes.append($0) }
            guard case .refused(let others)? = outcomes.last, outcomes.count == 2 else {
                Issue.record("the second reload waits")
                return
            }
            #expect(others == ["/hanging/gateway.conf: cannot be read: an earlier read of it has not returned yet"])
            files.isHanging.store(false, ordering: .relaxed)
            gateway.terminate()
            gateway.run()
        }
    }

    /// A resolver that never answers.
    @Test func `a name that is not found in time is a failure that names it`() throws {
        let loop = try EventLoop()
        let log = try Log(GatewayConfiguration.Log())
        defer { log.close() }
        let names = try NameRefresh(resolver: Resolver(), log: log, loop: loop)
        let address = Address.tcp(host: "slow.example", port: 80)
        var found: [Address: Result<[SocketAddress], ResolveError>]?
        names.lookUp([address], within: .milliseconds(10)) { found = $0 }
        #expect(found == nil)
        while found == nil { loop.turn(waitingAtMost: .seconds(20)) }
        guard case .failure(let error)? = found?[address] else {
            Issue.record("it was found")
            return
        }
        #expect(error.reason.hasPrefix("slow.example was not resolved within"))
        let settings = [ListenerSettings(address: address)]
        #expect(ListenerSet(workers: 1).addressesToLookUp(settings) == [address])
        let refusal = #expect(throws: StartError.self) {
            try ListenerSet(workers: 1).prepare(settings, Findings(addresses: found ?? [:]))
        }
        #expect(refusal?.description == "cannot listen on slow.example:80: \(error.reason)")
    }

    @Test func `only names of new listeners are looked up`() {
        let addresses: [Address] = [
            .tcp(host: "", port: 80), .tcp(host: "127.0.0.1", port: 80), .tcp(host: "::1", port: 80), .unix(path: "/x"),
        ]
        #expect(ListenerSet(workers: 1).addressesToLookUp(addresses.map { ListenerSettings(address: $0) }) == [])
    }
}
