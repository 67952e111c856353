internal import Configuration
public import Connections
internal import DataPlane
public import System

/// The admin address: accepts connections on the control thread's loop and answers one request on each.
///
/// Nothing here blocks, and everything is bounded: whoever is slow or hostile costs one of a few connections for a while.
public final class AdminServer: AcceptorOwner {
    /// The most connections at a time. When there are so many, the next one takes the place of the one that has kept its place for
    /// longest without doing anything for it; as long as there is none, it waits in the kernel's queue.
    public static let mostConnections = 64
    /// The most that one read of a connection takes, in bytes.
    static let readSize = 16 << 10

    /// Where it listens, with the port that was chosen.
    public let address: SocketAddress

    let router: AdminRouter
    unowned let control: any GatewayControl
    /// How long each step of a connection may take: its request, the gateway's answer, and taking it.
    let patience: Duration
    /// How long a connection keeps its place without doing anything for it, when others wait.
    let grace: Duration
    let context: ConnectionContext

    /// `nil`: it is closed.
    private var acceptor: Acceptor?
    private(set) var connections: [ObjectIdentifier: AdminConnection] = [:]

    /// Listens from here on.
    ///
    /// - Throws: one line that says what is in the way.
    public init(
        _ place: AdminPlace, control: any GatewayControl, patience: Duration = .seconds(10),
        grace: Duration = .seconds(1)
    ) throws(StartError) {
        self.control = control
        self.patience = patience
        self.grace = grace
        let settings = place.settings
        let isUnixSocket = if case .tcp = settings.address { false } else { true }
        self.router = AdminRouter(RequestGuard(hosts: settings.hosts, isUnixSocket: isUnixSocket))
        self.context = ConnectionContext(control.loop, readSize: Self.readSize)
        let descriptor: Int32
        (descriptor, self.address) = try Self.listen(place)
        let acceptor = Acceptor(descriptor, on: control.loop, for: self)
        self.acceptor = acceptor
        do throws(SystemError) { try acceptor.start() } catch {
            acceptor.close(acceptingAll: false)
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
    public func close() {
        guard let acceptor = self.acceptor else { return }
        self.acceptor = nil
        acceptor.close(acceptingAll: false)
        Kernel.removeSocketFile(self.address)
        for connection in Array(self.connections.values) { connection.close() }
    }

    // MARK: - Accepting

    public func accepted(_ descriptor: Int32, from address: SocketAddress, by acceptor: Acceptor) {
        if self.connections.count >= Self.mostConnections { self.idlest?.connection.makeRoom() }
        do throws(SystemError) {
            let connection = try AdminConnection(descriptor, address, server: self)
            self.connections[ObjectIdentifier(connection)] = connection
        } catch {
            Kernel.close(descriptor)
        }
    }

    func ended(_ connection: AdminConnection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.acceptor?.resume()
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

    public func room(for acceptor: Acceptor) -> Acceptor.Room {
        let now = self.control.loop.now
        // Who becomes idle meanwhile is so for the grace at least, and was not when the others were.
        let time = self.roomTime ?? now + self.grace
        return time <= now ? .free : .none(until: time, because: "all places are taken")
    }
}
