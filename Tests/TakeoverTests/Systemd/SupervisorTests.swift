import Configuration
import Glibc
import TestSupport
import Testing

@testable import Observability
@testable import System
@testable import Takeover

@Suite struct SupervisorTests {
    /// A service manager's socket.
    private final class Manager {
        let address: SocketAddress
        private let descriptor: Int32

        init(_ address: SocketAddress) throws {
            self.address = address
            self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            let bound = unsafe try address.withKernelForm { unsafe bind(self.descriptor, $0, $1) }
            try #require(bound == 0)
        }

        deinit {
            Kernel.close(self.descriptor)
            Kernel.removeSocketFile(self.address)
        }

        /// The value of `NOTIFY_SOCKET`.
        var variable: String {
            switch self.address {
            case .unix(let path): path
            case .abstract(let name): "@" + name
            default: self.address.description
            }
        }

        /// The lines of the next message; `nil` if none is there.
        func next() -> [String]? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(self.descriptor, &bytes, bytes.count, 0)
            guard count >= 0 else { return nil }
            return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private func log() throws -> Log {
        var settings = GatewayConfiguration.Log()
        settings.file = "/dev/null"
        return try Log(settings)
    }

    static let addresses: [SocketAddress] = [
        .unix(path: temporaryPath(".notify")),
        .abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))"),
    ]

    @Test(arguments: addresses) func `the service manager is told what happens`(address: SocketAddress) throws {
        let manager = try Manager(address)
        let log = try self.log()
        defer { log.close() }
        let supervisor = Supervisor(log: log, environment: { $0 == "NOTIFY_SOCKET" ? manager.variable : nil })
        #expect(supervisor.isPresent)
        #expect(supervisor.watchdogInterval == nil)
        supervisor.ready("serving on :80")
        #expect(manager.next() == ["READY=1", "STATUS=serving on :80"])
        supervisor.ready("a\nREADY=1\r\nb")
        #expect(manager.next() == ["READY=1", "STATUS=a READY=1 b"])
        let before = MonotonicInstant.now().nanoseconds / 1000
        supervisor.reloading()
        let reloading = try #require(manager.next())
        #expect(reloading.first == "RELOADING=1")
        let time = try #require(Int64(reloading[1].dropFirst("MONOTONIC_USEC=".count)))
        #expect(reloading[1].hasPrefix("MONOTONIC_USEC="))
        #expect((before...MonotonicInstant.now().nanoseconds / 1000).contains(time))
        supervisor.stopping("draining")
        #expect(manager.next() == ["STOPPING=1", "STATUS=draining"])
        supervisor.mainProcess(0)
        supervisor.mainProcess(77)
        #expect(manager.next() == ["MAINPID=77"])
        #expect(manager.next() == nil)
    }

    @Test func `without a service manager nothing is sent`() throws {
        let log = try self.log()
        defer { log.close() }
        for variable in [nil, "", "vsock:2:1", "relative"] {
            let supervisor = Supervisor(log: log, environment: { $0 == "NOTIFY_SOCKET" ? variable : "1" })
            #expect(!supervisor.isPresent)
            #expect(supervisor.watchdogInterval == nil)
            supervisor.ready("x")
        }
    }

    @Test func `a service manager that is gone or full is not an error`() throws {
        let log = try self.log()
        defer { log.close() }
        let gone = Supervisor(log: log, environment: { $0 == "NOTIFY_SOCKET" ? "/tmp/gateway-test-nobody" : nil })
        gone.ready("x")
        let manager = try Manager(.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))"))
        let full = Supervisor(log: log, environment: { $0 == "NOTIFY_SOCKET" ? manager.variable : nil })
        // More than its queue accepts (net.unix.max_dgram_qlen). A call that waits would wait forever.
        for number in 0..<20_000 { full.ready("\(number)") }
        #expect(manager.next() == ["READY=1", "STATUS=0"])
    }

    static let watchdogs: [([String: String], successor: Bool, interval: Duration?)] = [
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"], false, .seconds(15)),
        (["WATCHDOG_USEC": "30000000"], false, .seconds(15)),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "41"], false, nil),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "41"], true, .seconds(15)),
        (["WATCHDOG_USEC": "0"], false, nil),
        (["WATCHDOG_USEC": "soon"], false, nil),
        ([:], false, nil),
    ]

    @Test(arguments: watchdogs) func `the watchdog is told twice as often as it asks for`(
        variables: [String: String], successor: Bool, interval: Duration?
    ) throws {
        let log = try self.log()
        defer { log.close() }
        let supervisor = Supervisor(
            log: log, isSuccessor: successor, process: 42,
            environment: { $0 == "NOTIFY_SOCKET" ? "@gateway-test/nobody" : variables[$0] })
        #expect(supervisor.watchdogInterval == interval)
    }

    @Test func `the watchdog is told until watching stops`() throws {
        let log = try self.log()
        defer { log.close() }
        let manager = try Manager(.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))"))
        let variables = ["NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": "2000"]
        let supervisor = Supervisor(log: log, environment: { variables[$0] })
        let loop = try EventLoop()
        supervisor.watch(on: loop)
        // Once at once, then at every interval.
        var told = 0
        while told < 4 {
            while let lines = manager.next() {
                #expect(lines == ["WATCHDOG=1"])
                told += 1
            }
            if told < 4 { loop.turn(waitingAtMost: .seconds(20)) }
        }
        supervisor.stopWatching()
        loop.turn(waitingAtMost: .milliseconds(5))
        #expect(manager.next() == nil)
    }
}
