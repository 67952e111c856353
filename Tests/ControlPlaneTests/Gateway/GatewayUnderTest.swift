import Configuration
import Synchronization
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane

/// A gateway that runs in this process, on a thread of its own, while a test talks to it.
final class GatewayUnderTest: Sendable {
    private struct Running: Sendable {
        let addresses: [String]
        let fleet: Fleet
        let terminate: @Sendable () -> Void
    }

    private let running: Running
    private let thread: Thread.Handle
    private let logPath: String

    private init(_ configuration: GatewayConfiguration, _ lookUp: @escaping Resolver.LookUp) throws {
        var configuration = configuration
        let path = temporaryPath(".log")
        configuration.log.file = path
        configuration.log.format = .json
        configuration.log.level = .debug
        let settings = configuration
        let started = Mutex<Result<Running, StartError>?>(nil)
        let doorbell = try Doorbell()
        self.logPath = path
        let start = Box(started)
        self.thread = try Thread.start("gateway-test") {
            do throws(StartError) {
                let gateway = try Gateway(settings, lookUp: lookUp)
                // What a signal does to the process.
                let terminations = try Self.mailbox(on: gateway.loop) { gateway.terminate() }
                let running = Running(
                    addresses: gateway.serving.listeners.listeners.map(\.address.description), fleet: gateway.fleet,
                    terminate: { terminations.send(()) })
                start.value.withLock { $0 = .success(running) }
                doorbell.ring()
                gateway.run()
            } catch {
                start.value.withLock { $0 = .failure(error) }
                doorbell.ring()
            }
        }
        doorbell.wait()
        self.running = try #require(start.value.withLock { $0 }).get()
    }

    private static func mailbox(
        on loop: EventLoop, _ receive: @escaping () -> Void
    ) throws(StartError) -> Mailbox<Void> {
        do throws(SystemError) {
            let mailbox = try Mailbox<Void>()
            try mailbox.open(on: loop) { _ in receive() }
            return mailbox
        } catch {
            throw StartError("\(error)")
        }
    }

    private final class Box<Value: ~Copyable & Sendable>: Sendable {
        let value: Value

        init(_ value: consuming Value) { self.value = value }
    }

    /// How small messages are sent.
    enum Sends: CaseIterable {
        /// At the end of a turn and through the ring. Without a ring in the system, like `late`.
        case together
        /// At the end of a turn, each with its own call.
        case late
        /// As the gateway chooses: at once, unless many sessions send.
        case asUsual
    }

    /// Starts a gateway, lets `body` talk to it, and drains it. No other test runs a gateway meanwhile.
    ///
    /// - Parameters:
    /// - lookUp: resolves host names.
    ///   - inspect: gets the log of the whole run.
    static func run(
        _ configuration: GatewayConfiguration, sends: Sends = .together,
        lookUp: @escaping Resolver.LookUp = Resolver.addresses, _ body: (GatewayUnderTest) throws -> Void,
        log inspect: ([LogLine]) throws -> Void = { _ in }
    ) throws {
        try SyscallFaults.exclusively {
            if sends != .asUsual { SyscallFaults.batchEverything() }
            if sends == .late { SyscallFaults.refuseRings() }
            let gateway = try GatewayUnderTest(configuration, lookUp)
            do {
                try body(gateway)
            } catch {
                gateway.running.terminate()
                _ = try? gateway.end()
                throw error
            }
            try inspect(gateway.end())
        }
    }

    /// The port of the listener at `index`.
    func port(_ index: Int = 0) throws -> UInt16 {
        let address = self.running.addresses[index]
        return try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    }

    /// Starts a drain; the second call ends what is left.
    func terminate() { self.running.terminate() }

    /// Keeps a worker busy with `body`. Returns when it has begun.
    func hold(worker: Int, _ body: @escaping @Sendable () -> Void) throws {
        let doorbell = try Doorbell()
        self.running.fleet.members[worker].mailbox.send(
            .ask { _ in
                doorbell.ring()
                body()
            })
        doorbell.wait()
    }

    private func end() throws -> [LogLine] {
        self.running.terminate()
        self.thread.join()
        defer { removeFile(self.logPath) }
        return try LogLine.all(FileContents.read(self.logPath))
    }
}

extension GatewayConfiguration {
    /// One plain listener and one with TLS, at ports that the system chooses, and a route `/NAME` to each backend.
    static func serving(
        _ backends: [BackendSettings], workers: Int = 1, _ change: (inout RouteSettings) -> Void = { _ in }
    ) -> Self {
        var configuration = GatewayConfiguration()
        configuration.workers = workers
        configuration.drain.over = .zero
        let address = Address.tcp(host: "127.0.0.1", port: 0)
        configuration.listeners = [
            ListenerSettings(address: address),
            ListenerSettings(address: address, tls: ListenerSettings.TLS(identity: .selfSigned(names: ["localhost"]))),
        ]
        for backend in backends {
            configuration.backends[backend.name] = backend
            var route = RouteSettings(
                name: backend.name, path: .exact("/" + backend.name), action: .backend(backend.name))
            route.origins = .any
            route.timeouts.close = .seconds(2)
            change(&route)
            configuration.routes.append(route)
        }
        return configuration
    }
}

extension BackendSettings {
    static let echo = BackendSettings(name: "echo", kind: .builtin(.echo))
    static let rooms = BackendSettings(name: "rooms", kind: .builtin(.broadcast))

    static func relay(to port: UInt16) -> Self {
        let address = Address.tcp(host: "127.0.0.1", port: port)
        let endpoint = WebSocketEndpoint(address: address, tls: false, authority: "127.0.0.1:\(port)", path: .client)
        return BackendSettings(name: "relay", kind: .websocket([endpoint]))
    }

    static func bridge(to port: UInt16, message: BridgeMessage = .binary) -> Self {
        BackendSettings(
            name: "bridge", kind: .tcp([TCPEndpoint(address: .tcp(host: "127.0.0.1", port: port))], message: message))
    }
}
