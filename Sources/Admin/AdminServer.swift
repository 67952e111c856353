package import Configuration
package import EventLoop
package import Proxy

/// The admin address: accepts connections on the control thread's loop and answers one request on each.
///
/// Nothing here blocks, and everything is bounded: whoever is slow or hostile costs one of a few connections for a while.
package final class AdminServer: ReadinessHandler, TimerHandler {
    /// The most connections at a time; others wait in the kernel's queue.
    package static let mostConnections = 64
    /// How long accepting pauses where descriptors ran out.
    private static let pause = Duration.milliseconds(100)

    /// Where it listens, with the port that was chosen.
    package let address: SocketAddress

    let router: AdminRouter
    unowned let control: any GatewayControl
    /// How long each step of a connection may take: its request, the gateway's answer, and taking it.
    let patience: Duration
    /// What connections read into, one after the other.
    let buffer = ReadBuffer(count: 16 << 10)

    private let descriptor: Int32
    private var registration: EventLoop.Registration?
    private var connections: [ObjectIdentifier: AdminConnection] = [:]
    var connectionCount: Int { self.connections.count }
    private var timer: EventLoop.TimerID?
    private var isClosed = false

    /// Listens from here on. A host name is resolved once, which can take its time.
    ///
    /// - Throws: one line that says what is in the way.
    package init(
        _ settings: AdminSettings, control: any GatewayControl, patience: Duration = .seconds(10)
    ) throws(StartError) {
        self.control = control
        self.patience = patience
        let isUnixSocket = if case .unix = settings.address { true } else { false }
        self.router = AdminRouter(RequestGuard(hosts: settings.hosts, isUnixSocket: isUnixSocket))
        (self.descriptor, self.address) = try Self.listen(settings.address)
        do throws(SystemError) { try self.watch() } catch {
            Kernel.close(self.descriptor)
            throw StartError("cannot watch the admin address: \(error)")
        }
    }

    private static func listen(_ address: Address) throws(StartError) -> (Int32, SocketAddress) {
        let candidates = try self.candidates(address)
        var failure = "no address"
        for candidate in candidates {
            do throws(SystemError) {
                let (sockets, bound) = try Kernel.listen(candidate, forWorkers: 1)
                return (sockets[0], bound)
            } catch {
                failure = error.reason
                guard error.isWithoutIPv6 else { break }
            }
        }
        throw StartError("cannot listen on the admin address \(address): \(failure)")
    }

    /// The addresses to listen on: the first that the system has.
    private static func candidates(_ address: Address) throws(StartError) -> [SocketAddress] {
        switch address {
        case .unix(let path): return [.unix(path: path)]
        case .tcp(let host, let port):
            // No host: every address, of both families.
            if host.isEmpty { return [.ipv6(high: 0, low: 0, port: port, scope: 0), .ipv4(0, port: port)] }
            switch Resolver.addresses(of: host, port: port) {
            case .success(let addresses): return addresses
            case .failure(let error): throw StartError("cannot listen on the admin address \(address): \(error.reason)")
            }
        }
    }

    /// Stops listening, and cuts what is not answered yet.
    package func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.stopWatching()
        self.control.loop.cancelTimer(&self.timer)
        Kernel.close(self.descriptor)
        Kernel.removeSocketFile(self.address)
        for connection in Array(self.connections.values) { connection.close() }
    }

    // MARK: - Accepting

    package func ready(_ readiness: Readiness) {
        while self.registration != nil {
            switch Kernel.accept(self.descriptor) {
            case .accepted(let socket, _): self.begin(socket)
            case .wouldBlock: return
            case .failed:
                // Of the system (no descriptor is left): trying again at once would spin.
                self.stopWatching()
                self.control.loop.setTimer(&self.timer, at: self.control.loop.now + Self.pause, self)
            }
        }
    }

    package func timerFired() {
        self.timer = nil
        self.watchIfThereIsRoom()
    }

    private func begin(_ socket: Int32) {
        do throws(SystemError) {
            let connection = try AdminConnection(socket, server: self)
            self.connections[ObjectIdentifier(connection)] = connection
        } catch {
            Kernel.close(socket)
        }
        if self.connections.count >= Self.mostConnections { self.stopWatching() }
    }

    func ended(_ connection: AdminConnection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.watchIfThereIsRoom()
    }

    private func watchIfThereIsRoom() {
        guard !self.isClosed, self.registration == nil, self.timer == nil,
            self.connections.count < Self.mostConnections
        else { return }
        do throws(SystemError) { try self.watch() } catch {
            self.control.loop.setTimer(&self.timer, at: self.control.loop.now + Self.pause, self)
        }
    }

    private func watch() throws(SystemError) {
        self.registration = try self.control.loop.addReading(self.descriptor, self)
    }

    private func stopWatching() {
        if let registration = self.registration { self.control.loop.remove(registration, self.descriptor) }
        self.registration = nil
    }
}
