internal import Configuration
internal import Proxy
package import System

/// The admin address: accepts connections on the control thread's loop and answers one request on each.
///
/// Nothing here blocks, and everything is bounded: whoever is slow or hostile costs one of a few connections for a while.
package final class AdminServer: ReadinessHandler, TimerHandler {
    /// The most connections at a time. When there are so many, the next one takes the place of the one that has kept its place for
    /// longest without doing anything for it; as long as there is none, it waits in the kernel's queue.
    package static let mostConnections = 64
    /// How long accepting pauses where descriptors ran out.
    private static let pause = Duration.milliseconds(100)

    private enum Accepting {
        case now(EventLoop.Registration)
        /// All places are taken, by connections that may keep them.
        case whenThereIsRoom
        /// The system had no descriptor left.
        case afterPause
        case nevermore
    }

    /// Where it listens, with the port that was chosen.
    package let address: SocketAddress

    let router: AdminRouter
    unowned let control: any GatewayControl
    /// How long each step of a connection may take: its request, the gateway's answer, and taking it.
    let patience: Duration
    /// How long a connection keeps its place without doing anything for it, when others wait.
    let grace: Duration
    /// What connections read into, one after the other.
    let buffer = ReadBuffer(count: 16 << 10)

    private let descriptor: Int32
    private var connections: [ObjectIdentifier: AdminConnection] = [:]
    var connectionCount: Int { self.connections.count }
    private var accepting = Accepting.whenThereIsRoom
    private var timer: EventLoop.TimerID?

    /// Listens from here on.
    ///
    /// - Throws: one line that says what is in the way.
    package init(
        _ place: AdminPlace, control: any GatewayControl, patience: Duration = .seconds(10),
        grace: Duration = .seconds(1)
    ) throws(StartError) {
        self.control = control
        self.patience = patience
        self.grace = grace
        let settings = place.settings
        let isUnixSocket = if case .tcp = settings.address { false } else { true }
        self.router = AdminRouter(RequestGuard(hosts: settings.hosts, isUnixSocket: isUnixSocket))
        (self.descriptor, self.address) = try Self.listen(place)
        do throws(SystemError) { try self.watch() } catch {
            Kernel.close(self.descriptor)
            Kernel.removeSocketFile(self.address)
            throw StartError("cannot watch the admin address: \(error)")
        }
    }

    private static func listen(_ place: AdminPlace) throws(StartError) -> (Int32, SocketAddress) {
        var failure = "no address"
        for candidate in place.candidates {
            do throws(SystemError) {
                let (sockets, bound) = try Kernel.listen(candidate, forWorkers: 1, access: place.access)
                return (sockets[0], bound)
            } catch {
                let group = place.settings.access?.group.map { " to the group \($0)" } ?? ""
                failure = error.call == "chown" ? "it cannot be given\(group): \(error.reason)" : error.reason
                guard error.isWithoutIPv6 else { break }
            }
        }
        throw StartError("cannot listen on the admin address \(place.settings.address): \(failure)")
    }

    /// Stops listening, and cuts what is not answered yet.
    package func close() {
        if case .nevermore = self.accepting { return }
        self.stopAccepting(.nevermore)
        self.control.loop.cancelTimer(&self.timer)
        Kernel.close(self.descriptor)
        Kernel.removeSocketFile(self.address)
        for connection in Array(self.connections.values) { connection.close() }
    }

    // MARK: - Accepting

    package func ready(_ readiness: Readiness) {
        while case .now = self.accepting {
            guard self.hasRoom else { return self.waitForRoom() }
            switch Kernel.accept(self.descriptor) {
            case .accepted(let socket, _): self.begin(socket)
            case .wouldBlock: return
            case .failed:
                // Trying again at once would spin.
                self.stopAccepting(.afterPause)
                self.setTimer(at: self.control.loop.now + Self.pause)
            }
        }
    }

    package func timerFired() {
        self.timer = nil
        self.resume()
    }

    private func begin(_ socket: Int32) {
        if self.connections.count >= Self.mostConnections { self.idlest?.connection.makeRoom() }
        do throws(SystemError) {
            let connection = try AdminConnection(socket, server: self)
            self.connections[ObjectIdentifier(connection)] = connection
        } catch {
            Kernel.close(socket)
        }
    }

    func ended(_ connection: AdminConnection) {
        self.connections[ObjectIdentifier(connection)] = nil
        if case .whenThereIsRoom = self.accepting { self.resume() }
    }

    // MARK: - Room

    /// The connection that has kept its place for longest without doing anything for it.
    private var idlest: (connection: AdminConnection, since: MonotonicInstant)? {
        let idle = self.connections.values.compactMap { connection in
            connection.idleSince.map { (connection: connection, since: $0) }
        }
        return idle.min { $0.since < $1.since }
    }

    /// When there is room for one more, as far as is known; `nil`: when one of those that are there has ended or is idle.
    private var roomTime: MonotonicInstant? {
        guard self.connections.count >= Self.mostConnections else { return self.control.loop.now }
        return self.idlest.map { $0.since + self.grace }
    }

    private var hasRoom: Bool { self.roomTime.map { $0 <= self.control.loop.now } ?? false }

    private func waitForRoom() {
        self.stopAccepting(.whenThereIsRoom)
        // Who becomes idle meanwhile is so for the grace at least, and was not when the others were.
        self.setTimer(at: self.roomTime ?? self.control.loop.now + self.grace)
    }

    private func resume() {
        switch self.accepting {
        case .now, .nevermore: return
        case .whenThereIsRoom, .afterPause: break
        }
        guard self.hasRoom else { return self.waitForRoom() }
        do throws(SystemError) { try self.watch() } catch {
            self.accepting = .afterPause
            self.setTimer(at: self.control.loop.now + Self.pause)
        }
    }

    private func setTimer(at time: MonotonicInstant) { self.control.loop.setTimer(&self.timer, at: time, self) }

    private func watch() throws(SystemError) {
        self.accepting = .now(try self.control.loop.addReading(self.descriptor, self))
        self.control.loop.cancelTimer(&self.timer)
    }

    private func stopAccepting(_ next: Accepting) {
        if case .now(let registration) = self.accepting {
            self.control.loop.remove(registration, self.descriptor)
        }
        self.accepting = next
    }
}
