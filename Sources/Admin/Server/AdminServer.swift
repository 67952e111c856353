internal import Admission
internal import Configuration
public import Connections
internal import DataPlane
public import System
internal import TLS
internal import WebSocketProtocol

/// The admin address: accepts connections on the control thread's loop and answers one request on each.
///
/// Nothing blocks, and everything is bounded: a slow or hostile client occupies one of a few places for a while.
public final class AdminServer: AcceptorOwner {
    /// The most connections at a time. One more takes the place of the connection that has made no progress for longest. While every
    /// connection makes progress, it waits in the kernel's queue.
    public static let mostConnections = 64
    /// The most bytes of one read.
    static let readSize = 16 << 10
    /// The most WebSockets at a time; one more gets a 503.
    public static let mostSockets = 32

    /// The address at which it listens, with the port that the system chose.
    public let address: SocketAddress

    let router: AdminRouter
    unowned let control: any GatewayControl
    /// How long each step may take: the request, the gateway's answer, and sending each piece of it.
    let patience: Duration
    /// How long a connection without progress keeps its place while others wait.
    let grace: Duration
    /// The time between two pings of a WebSocket, and the longest until the pong.
    let heartbeat: Duration
    let context: ConnectionContext

    /// Makes the TLS connections; `nil` without TLS, and before the first one.
    private var tls: (context: TLSServerContext, settings: TLSServerSettings)?
    /// `nil` after `close`.
    private var acceptor: Acceptor?
    /// Why a connection could not be begun with the last time.
    private var trouble: String?
    private(set) var connections: [ObjectIdentifier: AdminConnection] = [:]
    private(set) var sockets: [ObjectIdentifier: AdminSocket] = [:]
    let events: EventStreams
    /// Whether tails show payloads.
    let showsPayloads: Bool

    /// Listens from now on.
    ///
    /// - Parameters:
    ///   - patience: how long each step of a connection may take.
    ///   - grace: how long a connection without progress keeps its place while others wait.
    ///   - heartbeat: the time between two pings of a WebSocket, and the longest until the pong.
    ///
    /// - Throws: one line that says why it cannot listen.
    public init(
        _ place: AdminPlace, control: any GatewayControl, patience: Duration = .seconds(10),
        grace: Duration = .seconds(1), heartbeat: Duration = .seconds(20)
    ) throws(StartError) {
        self.control = control
        self.patience = patience
        self.grace = grace
        self.heartbeat = heartbeat
        self.events = EventStreams(control)
        let settings = place.settings
        self.showsPayloads = settings.payloads
        self.router = AdminRouter(settings)
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

    /// Stops listening, and closes all connections, with or without their answers, and all WebSockets.
    public func close() {
        guard let acceptor = self.acceptor else { return }
        self.acceptor = nil
        acceptor.close(acceptingAll: false)
        Kernel.removeSocketFile(self.address)
        for connection in Array(self.connections.values) { connection.close() }
        for socket in Array(self.sockets.values) { socket.end(.serviceRestart, reason: "the gateway ends") }
    }

    // MARK: - Accepting

    /// Takes a connection. If there are too many, the one that has made no progress for longest is closed.
    public func accepted(_ descriptor: Int32, from address: SocketAddress, by acceptor: Acceptor) {
        if self.connections.count >= Self.mostConnections { self.idlest?.connection.makeRoom() }
        do {
            let connection = try AdminConnection(descriptor, address, self.makeTLS(), server: self)
            self.connections[ObjectIdentifier(connection)] = connection
        } catch {
            Kernel.close(descriptor)
            self.logTrouble("\(error)")
        }
    }

    /// Logs why a connection could not be begun with, once for each reason in a row.
    private func logTrouble(_ reason: String) {
        guard reason != self.trouble else { return }
        self.trouble = reason
        self.control.logAdminFailed(StartError("a connection to the admin address was closed: \(reason)"))
    }

    /// libssl's part of a connection, with the certificates as they are now; `nil` without TLS.
    private func makeTLS() throws(TLSError) -> TLSConnection? {
        guard let (settings, tickets) = self.control.adminTLS else { return nil }
        if let tls = self.tls, tls.settings == settings { return try tls.context.makeConnection() }
        let context = try TLSServerContext(settings, io: self.context.tlsIO, tickets: tickets)
        self.tls = (context, settings)
        return try context.makeConnection()
    }

    func ended(_ connection: AdminConnection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.acceptor?.resume()
    }

    // MARK: - WebSockets

    /// Whether there is room for one more WebSocket.
    var hasRoomForSocket: Bool { self.sockets.count < Self.mostSockets }

    /// Makes a WebSocket of a connection.
    ///
    /// - Parameter key: the client's, which the 101 answers.
    func open(_ key: String, on connection: Connection, feeding feed: (AdminSocket) -> any SocketFeed) {
        let times = AdminSocket.Times(heartbeat: self.heartbeat, closing: self.patience)
        let socket = AdminSocket(self.context, times) { [unowned self] in self.sockets[ObjectIdentifier($0)] = nil }
        self.sockets[ObjectIdentifier(socket)] = socket
        socket.open(
            connection, answering: SwitchingProtocols.bytes(key: key, date: WallClock.httpDate()), feed(socket))
    }

    // MARK: - Room

    /// The connection that has made no progress for longest.
    private var idlest: (connection: AdminConnection, since: MonotonicInstant)? {
        let idle = self.connections.values.compactMap { connection in
            connection.idleSince.map { (connection: connection, since: $0) }
        }
        return idle.min { $0.since < $1.since }
    }

    /// When there is room for one more connection; `nil` if that depends on the connections.
    private var roomTime: MonotonicInstant? {
        guard self.connections.count >= Self.mostConnections else { return self.control.loop.now }
        return self.idlest.map { $0.since + self.grace }
    }

    /// Whether there is room for one more connection, or when to ask again.
    public func room(for acceptor: Acceptor) -> Acceptor.Room {
        let now = self.control.loop.now
        // A connection that stops making progress from now on keeps its place for `grace` at least.
        let time = self.roomTime ?? now + self.grace
        return time <= now ? .free : .none(until: time, because: "all places are taken")
    }
}
